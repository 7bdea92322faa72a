# libfate-web: HTTP.  It needs zlib, and takes libidn2 where that is there.

find_package(ZLIB QUIET)
if(NOT ZLIB_FOUND)
    message(STATUS "libfate-web is left out: zlib is missing (Debian: zlib1g-dev)")
    return()
endif()

# pkg-config would find the libidn2 of the machine that builds.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND AND NOT CMAKE_CROSSCOMPILING)
    pkg_check_modules(IDN2 QUIET IMPORTED_TARGET libidn2)
endif()

file(GLOB web_sources CONFIGURE_DEPENDS src/http/*.c)
if(IDN2_FOUND)
    list(FILTER web_sources EXCLUDE REGEX "idn_none")
else()
    message(STATUS "Hosts beyond ASCII will be refused: libidn2 is missing (Debian: libidn2-dev)")
    list(FILTER web_sources EXCLUDE REGEX "idn_libidn2")
endif()

add_library(fate_web_static STATIC ${web_sources})
set_target_properties(fate_web_static PROPERTIES OUTPUT_NAME fate-web)
target_include_directories(fate_web_static PRIVATE src)
target_compile_options(fate_web_static PRIVATE -fvisibility=hidden)
target_link_libraries(fate_web_static PUBLIC fate_static ZLIB::ZLIB $<$<BOOL:${IDN2_FOUND}>:PkgConfig::IDN2>
    PRIVATE $<BUILD_INTERFACE:fate_build>)
