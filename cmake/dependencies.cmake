# Everything comes from Debian packages; ./dev installs them (packages are listed there).
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
target_link_libraries(wave_dep_sqlite3 INTERFACE ${CMAKE_DL_LIBS})

# fmt and spdlog are packaged as shared libraries only: fmt is used header-only everywhere, spdlog in
# the one translation unit behind base/log.h.
add_library(wave_deps INTERFACE)
target_compile_definitions(wave_deps INTERFACE FMT_HEADER_ONLY=1 BOOST_ASIO_SEPARATE_COMPILATION=1
                           BOOST_ASIO_NO_DEPRECATED=1)
target_link_libraries(wave_deps INTERFACE Boost::json OpenSSL::Crypto Threads::Threads)
if(WAVE_TESTS)
  find_package(GTest REQUIRED)
endif()
