/* The switch for x86-64, System V ABI.
 *
 * Saved are the registers that a function must preserve, and no more: mxcsr and the x87 control word are left
 * alone, so a coroutine that changes them changes them for all. */
#if defined(__x86_64__)
    .text

/* fate_value fate__switch_stacks(void **ret_from, void *to, fate_value given), where given is returned on the
 * other stack. */
    .globl fate__switch_stacks
    .hidden fate__switch_stacks
    .type fate__switch_stacks, @function
    .p2align 4
fate__switch_stacks:
    .cfi_startproc
    endbr64
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r15, 0
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r12
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbp
    movq %rdx, %rax
    movq %rcx, %rdx
    /* Not ret: the processor would expect to go back to where it was called from last, on the other stack. */
    popq %rsi
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rsi
    notrack jmp *%rsi
    .cfi_endproc
    .size fate__switch_stacks, . - fate__switch_stacks

/* The first frame of a coroutine: %rbx is the coroutine, %r12 its entry, which does not return.
 *
 * For those who walk the stack its caller is whoever resumed the coroutine last.  Where that one left off is
 * the coroutine's first word, saved as above: so the frame before this one is at 56 beyond what %rbx points
 * to.  It is marked as a signal frame, since stacks may lie in any order. */
    .globl fate__coro_start
    .hidden fate__coro_start
    .type fate__coro_start, @function
    .p2align 4
    .cfi_startproc
    .cfi_signal_frame
    .cfi_escape 0x0f, 0x05, 0x73, 0x00, 0x06, 0x23, 0x38 /* CFA: *(%rbx) + 56 */
    .cfi_offset %rip, -8
    .cfi_offset %rbp, -16
    .cfi_offset %rbx, -24
    .cfi_offset %r12, -32
    .cfi_offset %r13, -40
    .cfi_offset %r14, -48
    .cfi_offset %r15, -56
    nop
fate__coro_start:
    endbr64
    movq %rbx, %rdi
    call *%r12
    ud2
    .cfi_endproc
    .size fate__coro_start, . - fate__coro_start

#endif
    .section .note.GNU-stack, "", @progbits
