# One compiler: clang 19 or newer, gcc 13 or newer. g++ 12 destroys captured arguments of co_await
# expressions twice (docs/decisions/0001-compiler.md), so it is refused rather than trusted.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR "g++ ${CMAKE_CXX_COMPILER_VERSION} miscompiles coroutines. "
                      "Use clang-19: cmake --preset dev, or ./dev build.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)

# Several sources are compiled as one: reading the headers is most of the work. Names in anonymous
# namespaces are therefore unique within a module.
set(CMAKE_UNITY_BUILD ON CACHE BOOL "compile several sources as one")
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8 CACHE STRING "how many sources are compiled as one")

option(WAVE_TESTS "build the tests" ON)
option(WAVE_BENCH "build the benchmarks" OFF)
option(WAVE_FUZZ "build the fuzz targets (clang only)" OFF)
option(WAVE_STATIC "link everything but libc statically" OFF)
set(WAVE_SANITIZE "" CACHE STRING "sanitizers, as for -fsanitize=")

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough
                    -Werror -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Members that a designated initialiser leaves out take their defaults: that is what it is for.
  add_compile_options(-Wno-missing-designated-field-initializers)
endif()
if(WAVE_SANITIZE)
  add_compile_options(-fsanitize=${WAVE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WAVE_SANITIZE})
endif()

# What is shipped leaves out what nothing refers to: memory that an idle server would hold.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections)
endif()

find_program(WAVE_CCACHE ccache)
if(WAVE_CCACHE)
  # ccache caches nothing that uses a precompiled header unless it is told that defines come from the
  # command line only, and the header unless its own time stamps are left out.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
                                  ${WAVE_CCACHE})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  endif()
endif()
find_program(WAVE_MOLD mold)
if(WAVE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
