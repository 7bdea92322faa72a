# What `cmake --install` puts where: the libraries, the public headers, libfate.pc and libfate-web.pc for
# pkg-config, the package that find_package(fate) finds, and the `fate` command (tool/CMakeLists.txt).

include(CMakePackageConfigHelpers)

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/fate)

install(TARGETS fate fate_static fate_web fate_web_static EXPORT fateTargets)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/fate DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN *.h)

# What those who link libfate-web statically link as well.
set(web_requires "")
if(ZLIB_FOUND)
    string(APPEND web_requires " zlib")
endif()
if(IDN2_FOUND)
    string(APPEND web_requires " libidn2")
endif()

# The .pc files name their folders relative to themselves, so that the tree may be moved.
file(RELATIVE_PATH pc_to_prefix
    ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_to_prefix ${pc_to_prefix})
foreach(name libfate libfate-web)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
endforeach()
install(FILES ${PROJECT_BINARY_DIR}/libfate.pc ${PROJECT_BINARY_DIR}/libfate-web.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(EXPORT fateTargets NAMESPACE fate:: DESTINATION ${cmake_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/fateConfig.cmake.in
    ${PROJECT_BINARY_DIR}/fateConfig.cmake INSTALL_DESTINATION ${cmake_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/fateConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/fateConfig.cmake ${PROJECT_BINARY_DIR}/fateConfigVersion.cmake
    DESTINATION ${cmake_dir})
