# What `cmake --install` puts where: both libraries, the public headers, libfate.pc for pkg-config, and the
# package that find_package(fate) finds.

include(CMakePackageConfigHelpers)

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/fate)

install(TARGETS fate fate_static EXPORT fateTargets)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/fate DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN *.h)

# libfate.pc names its folders relative to itself, so that the tree may be moved.
file(RELATIVE_PATH pc_to_prefix
    ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_to_prefix ${pc_to_prefix})
configure_file(${PROJECT_SOURCE_DIR}/cmake/libfate.pc.in ${PROJECT_BINARY_DIR}/libfate.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/libfate.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(EXPORT fateTargets NAMESPACE fate:: DESTINATION ${cmake_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/fateConfig.cmake.in
    ${PROJECT_BINARY_DIR}/fateConfig.cmake INSTALL_DESTINATION ${cmake_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/fateConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/fateConfig.cmake ${PROJECT_BINARY_DIR}/fateConfigVersion.cmake
    DESTINATION ${cmake_dir})
