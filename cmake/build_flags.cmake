# How everything in this repository is compiled.  None of it reaches those who use the library: they link
# `fate`, and only what is built here links `fate_build`.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
    message(STATUS "No build type was given: Release")
endif()

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(fate_build INTERFACE)
target_compile_definitions(fate_build INTERFACE _GNU_SOURCE)
target_compile_options(fate_build INTERFACE
    "$<$<COMPILE_LANGUAGE:C,CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wno-unused-parameter>"
    "$<$<COMPILE_LANGUAGE:C,CXX>:-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=>")

if(FATE_DEBUG_CHECKS)
    target_compile_definitions(fate_build INTERFACE FATE_DEBUG_CHECKS)
else()
    target_compile_definitions(fate_build INTERFACE $<$<CONFIG:Debug>:FATE_DEBUG_CHECKS>)
endif()

# valgrind wants to be told of stacks; where its header is there, Debug builds do so.
include(CheckIncludeFile)
check_include_file(valgrind/valgrind.h FATE_HAS_VALGRIND_H)
if(FATE_HAS_VALGRIND_H AND NOT FATE_SANITIZE)
    target_compile_definitions(fate_build INTERFACE $<$<CONFIG:Debug>:FATE_VALGRIND>)
endif()

if(FATE_SANITIZE)
    set(sanitize -fsanitize=${FATE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_options(fate_build INTERFACE "$<$<COMPILE_LANGUAGE:C,CXX>:${sanitize}>")
    target_link_options(fate_build INTERFACE -fsanitize=${FATE_SANITIZE} -fno-sanitize-recover=all)
endif()

if(FATE_COVERAGE)
    target_compile_options(fate_build INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:--coverage>)
    target_link_options(fate_build INTERFACE --coverage)
endif()
