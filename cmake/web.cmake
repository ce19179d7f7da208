# The browser application: built by npm from web/, packed, and linked into the server. Without npm the
# binary is built all the same, and `/` says what is missing. Any npm will do: tools/node/with.sh gets a
# newer Node where the machine's own is too old.
find_program(WAVE_NPM npm)
set(WAVE_WEB_DEFAULT OFF)
if(WAVE_NPM)
  set(WAVE_WEB_DEFAULT ON)
endif()
option(WAVE_WEB "build the browser application into the binary (needs npm)" ${WAVE_WEB_DEFAULT})

# A library of its own, linked by whoever links the server: the server's sources are compiled while npm works.
function(wave_web_library source)
  add_library(wave_web STATIC ${source})
  target_include_directories(wave_web PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(wave_server INTERFACE wave_web)
endfunction()

set(web_out ${CMAKE_BINARY_DIR}/web)
file(MAKE_DIRECTORY ${web_out})
if(NOT WAVE_WEB)
  file(CONFIGURE OUTPUT ${web_out}/no_assets.cc CONTENT [[
// This build has no browser application (WAVE_WEB=OFF).
#include "server/web/embedded.h"

namespace wave::server::web {
std::vector<EmbeddedAsset> embedded_assets() { return {}; }
}  // namespace wave::server::web
]])
  wave_web_library(${web_out}/no_assets.cc)
  return()
endif()
if(NOT WAVE_NPM)
  message(FATAL_ERROR "WAVE_WEB=ON needs npm: apt-get install nodejs npm, or -DWAVE_WEB=OFF.")
endif()

set(web_dir ${PROJECT_SOURCE_DIR}/web)
set(with_node sh ${PROJECT_SOURCE_DIR}/tools/node/with.sh)
file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${web_dir}/src/* ${web_dir}/public/*)
list(FILTER web_sources EXCLUDE REGEX "\\.test\\.ts$")

# node_modules stands beside package.json, as every tool expects, and is shared by all presets. The
# lock keeps two of them from installing at the same time.
add_custom_command(
  OUTPUT ${web_out}/installed
  COMMAND flock ${web_dir}/package.json ${CMAKE_COMMAND} -E env npm_config_loglevel=error
          ${with_node} sh ${web_dir}/scripts/install.sh ${web_out}/installed
  DEPENDS ${web_dir}/package.json ${web_dir}/package-lock.json ${web_dir}/scripts/install.sh
  WORKING_DIRECTORY ${web_dir}
  COMMENT "Installing what the browser application is built with"
  VERBATIM)
add_custom_command(
  OUTPUT ${web_out}/assets.cc ${web_out}/assets.bin
  COMMAND ${CMAKE_COMMAND} -E env WAVE_WEB_OUT=${web_out}/dist
          ${with_node} node node_modules/vite/bin/vite.js build
  COMMAND ${with_node} node scripts/pack.mjs ${web_out}/dist ${web_out}/assets.bin ${web_out}/assets.cc
  DEPENDS ${web_out}/installed ${web_sources} ${web_dir}/index.html ${web_dir}/vite.config.ts
          ${web_dir}/scripts/pack.mjs
  WORKING_DIRECTORY ${web_dir}
  COMMENT "Building the browser application"
  VERBATIM)
wave_web_library(${web_out}/assets.cc)
set_source_files_properties(${web_out}/assets.cc PROPERTIES OBJECT_DEPENDS ${web_out}/assets.bin)
