#!/bin/sh
# Libraries that cost seconds of compile time, or that one file stands in front of, stay in their files.
set -u
bad=0

# only NAME EXPRESSION FILE...: includes that match the expression stand in these files only.
only() {
  name=$1
  expression=$2
  shift 2
  for file in $(git grep -lE "^#include [<\"]$expression" -- '*.h' '*.cc'); do
    case " $* " in
      *" $file "*) ;;
      *)
        echo "  $file: $name belongs into: $*"
        bad=1
        ;;
    esac
  done
}

only Asio "boost/asio" src/base/asio_loop.cc src/base/asio_impl.cc src/http/request_parser.cc src/http/response_parser.cc
only spdlog 'spdlog/' src/base/log.cc src/cli/linked_libraries.cc
only "Beast" "boost/beast" src/http/request_parser.cc src/http/response_parser.cc src/http/response_parser.h
only CLI11 'CLI/' src/cli/parse.cc src/cli/linked_libraries.cc
exit $bad
