# A room is a folder of src/: a static library of its sources and, beside it, one test program of
# its *_test.cc files. A folder's sources are found, not listed, so that adding a file is one step.
set(WAVE_PCH ${CMAKE_CURRENT_LIST_DIR}/pch.h)

# The headers that nearly every file needs, compiled once for the libraries and once for the tests.
add_library(wave_pch OBJECT ${CMAKE_CURRENT_LIST_DIR}/pch.cc)
target_precompile_headers(wave_pch PRIVATE ${WAVE_PCH})
target_link_libraries(wave_pch PUBLIC wave_deps)
target_include_directories(wave_pch PUBLIC ${PROJECT_SOURCE_DIR}/src)

function(wave_use_pch target)
  target_precompile_headers(${target} REUSE_FROM wave_pch)
endfunction()

set(WAVE_DEPS_base wave_dep_re2)
set(WAVE_DEPS_model wave_dep_fyaml wave_dep_re2)
set(WAVE_DEPS_store wave_dep_sqlite3)
set(WAVE_DEPS_contract wave_dep_re2 wave_dep_pcre2-8)
set(WAVE_DEPS_http OpenSSL::SSL)
set(WAVE_DEPS_server wave_dep_z)

function(wave_room name)
  cmake_parse_arguments(ROOM "" "" "USES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(TRANSFORM ROOM_USES PREPEND wave_ OUTPUT_VARIABLE uses)

  add_library(wave_${name} STATIC ${sources})
  target_include_directories(wave_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(wave_${name} PUBLIC wave_deps ${uses} ${WAVE_DEPS_${name}})
  wave_use_pch(wave_${name})

  if(WAVE_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE wave_${name} GTest::gmock GTest::gtest_main)
    wave_use_pch(${name}_test)
    set_property(GLOBAL APPEND PROPERTY WAVE_TEST_PROGRAMS ${name}_test)
  endif()
endfunction()
