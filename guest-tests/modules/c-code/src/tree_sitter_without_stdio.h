// Included before tree-sitter's sources. They draw graphs into files when asked to, and say on stderr that memory has run out,
// before they abort. With this they do neither: wasi-libc's files import functions of WASI.
#include <stdio.h>
#define fprintf(...) ((void)0)
#define fputs(...) ((void)0)
#define fputc(...) ((void)0)
#undef stderr
#define stderr NULL
