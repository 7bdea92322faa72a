# What libfate-web is made of, and what it links where that is there: zlib for content codings, libidn2 for
# hosts beyond ASCII.

file(GLOB web_sources CONFIGURE_DEPENDS src/http/*.c)
set(web_libraries "")

find_package(ZLIB QUIET)
if(ZLIB_FOUND)
    list(FILTER web_sources EXCLUDE REGEX "coding_none")
    list(APPEND web_libraries ZLIB::ZLIB)
else()
    message(STATUS "Bodies will not be compressed: zlib is missing (Debian: zlib1g-dev)")
    list(FILTER web_sources EXCLUDE REGEX "coding_zlib")
endif()

# pkg-config would find the libidn2 of the machine that builds.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND AND NOT CMAKE_CROSSCOMPILING)
    pkg_check_modules(IDN2 QUIET IMPORTED_TARGET libidn2)
endif()
if(IDN2_FOUND)
    list(FILTER web_sources EXCLUDE REGEX "idn_none")
    list(APPEND web_libraries PkgConfig::IDN2)
else()
    message(STATUS "Hosts beyond ASCII will be refused: libidn2 is missing (Debian: libidn2-dev)")
    list(FILTER web_sources EXCLUDE REGEX "idn_libidn2")
endif()
