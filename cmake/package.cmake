# `cmake --install` and the Debian package: `cpack --config BUILD/CPackConfig.cmake`. The package starts nothing; what
# its service may do is in deploy/systemd/paravent.service.
include(GNUInstallDirs)

install(TARGETS paravent RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES deploy/systemd/paravent.service DESTINATION lib/systemd/system)
install(FILES deploy/systemd/paravent.sysusers DESTINATION lib/sysusers.d RENAME paravent.conf)
install(FILES deploy/systemd/paravent.tmpfiles DESTINATION lib/tmpfiles.d RENAME paravent.conf)
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/paravent)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/paravent)
install(DIRECTORY policies/presets policies/examples DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/paravent/policies)
install(FILES deploy/gateway.yaml DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/paravent)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME paravent)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The Paravent engineers <paravent@paravent.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Pseudonymisation and encryption gateway for web forms and analytics
 A reverse proxy that replaces personal fields by tokens or ciphertexts before a site stores them, keeps the keys,
 and gives values back only to roles that the policy allows, on the record.")
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, libssl3 (>= 3.0.14)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "systemd")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  "${PROJECT_SOURCE_DIR}/deploy/debian/postinst;${PROJECT_SOURCE_DIR}/deploy/debian/prerm")
include(CPack)
