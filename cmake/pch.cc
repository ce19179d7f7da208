// Nothing here: this file exists so that cmake/pch.h is compiled.
