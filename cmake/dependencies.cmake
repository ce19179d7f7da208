# Everything comes from Debian packages; ./dev installs them (packages are listed there). What is linked in has a row
# in packaging/parts.json, where NOTICE and the list of parts in a package come from: ./dev lint compares the two.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
if(WAVE_STATIC)
  set(Boost_USE_STATIC_LIBS ON)
  set(OPENSSL_USE_STATIC_LIBS ON)
endif()
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL 3 REQUIRED)

function(wave_library name)
  if(WAVE_STATIC)
    find_library(WAVE_LIB_${name} NAMES lib${name}.a REQUIRED)
  else()
    find_library(WAVE_LIB_${name} NAMES ${name} REQUIRED)
  endif()
  add_library(wave_dep_${name} INTERFACE)
  target_link_libraries(wave_dep_${name} INTERFACE ${WAVE_LIB_${name}})
endfunction()
wave_library(sqlite3)
wave_library(fyaml)
wave_library(re2)
wave_library(pcre2-8)
wave_library(z)
target_link_libraries(wave_dep_sqlite3 INTERFACE ${CMAKE_DL_LIBS})

# Newer releases of RE2 are built upon Abseil. What of it is needed pkg-config knows; of a part that it
# names more than once, the last place counts, as it does for the linker.
pkg_check_modules(RE2 QUIET re2)
set(re2_parts ${RE2_STATIC_LIBRARIES})
list(FILTER re2_parts INCLUDE REGEX "^absl_")
list(REVERSE re2_parts)
list(REMOVE_DUPLICATES re2_parts)
list(REVERSE re2_parts)
foreach(part IN LISTS re2_parts)
  wave_library(${part})
  target_link_libraries(wave_dep_re2 INTERFACE wave_dep_${part})
endforeach()

# RE2 does not know its own version, and what its pkg-config file says is 0.0.0 on Debian 12: `wave version` names the
# release that Debian has packaged.
execute_process(COMMAND dpkg-query -W -f "\${Version}" libre2-dev OUTPUT_VARIABLE re2_release ERROR_QUIET)
if(NOT re2_release MATCHES "^[0-9]+")
  set(re2_release "${RE2_VERSION}")
endif()
string(REGEX MATCH "^[0-9.]+" re2_release "${re2_release}")
set(WAVE_VERSIONS_OF_PARTS WAVE_RE2_RELEASE="${re2_release}")
if(re2_parts)
  list(APPEND WAVE_VERSIONS_OF_PARTS WAVE_RE2_USES_ABSEIL)
endif()

# fmt and spdlog are packaged as shared libraries only. fmt's definitions are compiled once (cmake/fmt.cc);
# spdlog is used header-only, in the one translation unit behind base/log.h.
add_library(wave_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/fmt.cc)
set_target_properties(wave_fmt PROPERTIES UNITY_BUILD OFF)
add_library(wave_deps INTERFACE)
target_compile_definitions(wave_deps INTERFACE BOOST_ASIO_SEPARATE_COMPILATION=1
                           BOOST_ASIO_NO_DEPRECATED=1)
target_link_libraries(wave_deps INTERFACE wave_fmt Boost::json OpenSSL::Crypto Threads::Threads)
if(WAVE_TESTS)
  find_package(GTest REQUIRED)
endif()
