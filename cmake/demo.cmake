# The files of examples/demo, linked into the server for `wave serve --demo`: an installed binary has no
# source tree. They are few and small; what begins with "#!" is written as executable.
set(demo_dir ${PROJECT_SOURCE_DIR}/examples/demo)
file(GLOB_RECURSE demo_files CONFIGURE_DEPENDS RELATIVE ${demo_dir} ${demo_dir}/* ${demo_dir}/.agents/*)
list(REMOVE_DUPLICATES demo_files)
list(SORT demo_files)
set(demo_source "// Written by cmake/demo.cmake.
#include \"server/demo/demo_files.h\"

namespace wave::server {

std::vector<DemoFile> demo_files() {
  return {
")
foreach(path IN LISTS demo_files)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${demo_dir}/${path})
  file(READ ${demo_dir}/${path} content)
  string(APPEND demo_source "      {\"${path}\", R\"wave_demo(${content})wave_demo\"},\n")
endforeach()
string(APPEND demo_source "  };
}

}  // namespace wave::server
")
set(demo_out ${CMAKE_BINARY_DIR}/demo_files.cc)
set(demo_written "")
if(EXISTS ${demo_out})
  file(READ ${demo_out} demo_written)
endif()
if(NOT demo_written STREQUAL demo_source)
  file(WRITE ${demo_out} "${demo_source}")
endif()
target_sources(wave_server PRIVATE ${demo_out})
