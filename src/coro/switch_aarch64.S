/* The switch for aarch64, AAPCS64: x19-x30 and the low halves of v8-v15; FPCR is left alone. */
#if defined(__aarch64__)
    .text

/* fate_value fate__switch_stacks(void **ret_from, void *to, fate_value given), where given is returned on the
 * other stack. */
    .globl fate__switch_stacks
    .hidden fate__switch_stacks
    .type fate__switch_stacks, %function
    .p2align 4
fate__switch_stacks:
    .cfi_startproc
    hint #34 /* bti c */
    sub sp, sp, #160
    .cfi_def_cfa_offset 160
    stp x29, x30, [sp, #144]
    .cfi_offset 29, -16
    .cfi_offset 30, -8
    stp x19, x20, [sp, #0]
    .cfi_offset 19, -160
    .cfi_offset 20, -152
    stp x21, x22, [sp, #16]
    .cfi_offset 21, -144
    .cfi_offset 22, -136
    stp x23, x24, [sp, #32]
    .cfi_offset 23, -128
    .cfi_offset 24, -120
    stp x25, x26, [sp, #48]
    .cfi_offset 25, -112
    .cfi_offset 26, -104
    stp x27, x28, [sp, #64]
    .cfi_offset 27, -96
    .cfi_offset 28, -88
    stp d8, d9, [sp, #80]
    stp d10, d11, [sp, #96]
    stp d12, d13, [sp, #112]
    stp d14, d15, [sp, #128]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x29, x30, [sp, #144]
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp d8, d9, [sp, #80]
    ldp d10, d11, [sp, #96]
    ldp d12, d13, [sp, #112]
    ldp d14, d15, [sp, #128]
    add sp, sp, #160
    .cfi_def_cfa_offset 0
    mov x0, x2
    mov x1, x3
    ret
    .cfi_endproc
    .size fate__switch_stacks, . - fate__switch_stacks

/* The first frame of a coroutine: x19 is the coroutine, x20 its entry, which does not return.  For those who
 * walk the stack its caller is whoever resumed the coroutine last: 160 beyond what x19 points to. */
    .globl fate__coro_start
    .hidden fate__coro_start
    .type fate__coro_start, %function
    .p2align 4
    .cfi_startproc
    .cfi_signal_frame
    .cfi_escape 0x0f, 0x06, 0x83, 0x00, 0x06, 0x23, 0xa0, 0x01 /* CFA: *x19 + 160 */
    .cfi_offset 30, -8
    .cfi_offset 29, -16
    .cfi_offset 19, -160
    .cfi_offset 20, -152
    .cfi_offset 21, -144
    .cfi_offset 22, -136
    .cfi_offset 23, -128
    .cfi_offset 24, -120
    .cfi_offset 25, -112
    .cfi_offset 26, -104
    .cfi_offset 27, -96
    .cfi_offset 28, -88
    nop
fate__coro_start:
    hint #36 /* bti j */
    mov x0, x19
    blr x20
    brk #1
    .cfi_endproc
    .size fate__coro_start, . - fate__coro_start

#endif
    .section .note.GNU-stack, "", %progbits
