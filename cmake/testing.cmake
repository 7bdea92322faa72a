# How tests are registered and run.

set(FATE_TEST_LAUNCHER "" CACHE STRING
    "What test programs are run through, as a list: valgrind with its options, qemu-aarch64; empty: nothing")
set(FATE_PYTHON /usr/bin/python3 CACHE FILEPATH "The Python of the tests; Debian's, for its Twisted")
set(FATE_DIFFER_COUNT 300 CACHE STRING "Random scenarios compared with Twisted; 0: none")
set(FATE_DIFFER_SEED 1 CACHE STRING "Where the random scenarios begin")

if(NOT EXISTS ${FATE_PYTHON})
    find_package(Python3 QUIET COMPONENTS Interpreter)
    set(FATE_PYTHON ${Python3_EXECUTABLE})
    if(NOT FATE_PYTHON)
        message(STATUS "The tests that need Python are left out: it is missing (Debian: python3)")
    endif()
endif()

set(FATE_TEST_ENVIRONMENT
    ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1
    UBSAN_OPTIONS=print_stacktrace=1
    TSAN_OPTIONS=allocator_may_return_null=1)

# Under valgrind or qemu a test takes twenty times as long as without.
set(FATE_TEST_SECONDS_MAX 600)
if(FATE_TEST_LAUNCHER)
    set(FATE_TEST_SECONDS_MAX 3600)
endif()

# One entry for ctest: the command after COMMAND, the labels after LABELS.
function(fate_add_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "COMMAND;LABELS")
    add_test(NAME ${name} COMMAND ${arg_COMMAND})
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" SKIP_RETURN_CODE 77
        TIMEOUT ${FATE_TEST_SECONDS_MAX} ENVIRONMENT "${FATE_TEST_ENVIRONMENT}")
endfunction()

# The same for a script: it is run by Python, and left out where there is none.
function(fate_add_script_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "COMMAND;LABELS")
    if(FATE_PYTHON)
        fate_add_test(${name} COMMAND ${FATE_PYTHON} ${arg_COMMAND} LABELS ${arg_LABELS})
    endif()
endfunction()

# fate_launched(TARGET RET): the path of what runs that program.  It is the program itself, or, where
# FATE_TEST_LAUNCHER is set, a script that runs it through that; so those who start it need not know.  It may
# be asked for again.
function(fate_launched target ret)
    if(NOT FATE_TEST_LAUNCHER)
        set(${ret} $<TARGET_FILE:${target}> PARENT_SCOPE)
        return()
    endif()
    string(REPLACE ";" " " launcher "${FATE_TEST_LAUNCHER}")
    set(script ${PROJECT_BINARY_DIR}/launched/${target})
    set(${ret} ${script} PARENT_SCOPE)
    get_target_property(is_launched ${target} FATE_IS_LAUNCHED)
    if(is_launched)
        return()
    endif()
    set_target_properties(${target} PROPERTIES FATE_IS_LAUNCHED ON)
    file(GENERATE OUTPUT ${script} CONTENT "#!/bin/sh\nexec ${launcher} $<TARGET_FILE:${target}> \"$@\"\n"
        FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endfunction()
