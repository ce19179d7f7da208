#!/bin/sh
# CMakeLists.txt and src/base/version.h name the same version.
set -u
cmake=$(sed -n 's/^project(wave VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
header=$(sed -n 's/.*kVersion = "\([0-9.]*\)".*/\1/p' src/base/version.h)
[ "$cmake" = "$header" ] && [ -n "$cmake" ] && exit 0
echo "  CMakeLists.txt says $cmake, src/base/version.h says $header"
exit 1
