/* A program without a C library, whose first call is arch_prctl, as in Go and musl. */
void _start(void) {
  long base = 0, result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(158L), "D"(0x1003L), "S"(&base) : "rcx", "r11", "memory");
  __asm__ volatile("syscall" : : "a"(231L), "D"(0L) : "rcx", "r11", "memory");
}
