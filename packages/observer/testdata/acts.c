/* Small programs for the tests of the observer: the first argument names the act. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUT "/work/output/"
#define IN "/work/source/"

static int must(long result, const char *what) {
  if (result < 0) { perror(what); exit(99); }
  return (int)result;
}
static void put(int fd) { must(write(fd, "x", 1), "write"); close(fd); }
static void touch(const char *path) { put(must(open(path, O_WRONLY | O_CREAT, 0644), path)); }

/* every way to open by name */
static void opens(void) {
  close(must(syscall(SYS_open, IN "a", O_RDONLY), "open"));
  close(must(openat(AT_FDCWD, IN "b", O_RDONLY), "openat"));
  struct open_how how = { .flags = O_RDONLY };
  close(must(syscall(SYS_openat2, AT_FDCWD, IN "c", &how, sizeof how), "openat2"));
  put(must(syscall(SYS_creat, OUT "created", 0644), "creat"));
}
/* directory descriptors, chdir, fchdir, duplication, links on the way */
static void directories(void) {
  int d = must(open("/work", O_RDONLY | O_DIRECTORY), "dir");
  close(must(openat(d, "source/a", O_RDONLY), "openat dir"));
  must(chdir("/work/source/sub"), "chdir");
  close(must(open("../b", O_RDONLY), "relative"));
  int e = must(dup2(d, 77), "dup2");
  must(fchdir(e), "fchdir");
  close(must(open("source/link", O_RDONLY), "link"));
  must(chdir(OUT), "chdir");
  must(mkdir("deep", 0755), "mkdir");
  must(chdir("deep"), "chdir");
  touch("one");
  must(rename("one", "../two"), "rename");
  must(symlink("deep", OUT "alias"), "symlink");
  touch(OUT "alias/three");
  must(unlink(OUT "alias/three"), "unlink");
  touch(OUT "alias/four");
}
/* everything that changes names */
static void names(void) {
  must(chdir(OUT), "chdir");
  touch("kept");
  must(link("kept", "hard"), "link");
  must(symlink("kept", "soft"), "symlink");
  must(mknod("node", S_IFREG | 0644, 0), "mknod");
  touch("gone");
  must(unlink("gone"), "unlink");
  must(mkdir("dir", 0755), "mkdir");
  touch("dir/inside");
  must(rename("dir", "moved"), "rename dir");
  mkdir("empty", 0755);
  must(rmdir("empty"), "rmdir");
  touch("long");
  must(truncate("long", 0), "truncate");
  touch("left");
  touch("right");
  must(syscall(SYS_renameat2, AT_FDCWD, "left", AT_FDCWD, "right", 2), "exchange");
}
static void temporary(void) {
  int fd = must(open(OUT, O_TMPFILE | O_WRONLY, 0644), "tmpfile");
  char self[64];
  sprintf(self, "/proc/self/fd/%d", fd);
  must(linkat(AT_FDCWD, self, AT_FDCWD, OUT "linked", AT_SYMLINK_FOLLOW), "linkat");
  must(open(OUT, O_TMPFILE | O_WRONLY, 0644), "tmpfile"); /* never gets a name */
}
static void copy_to(int fd, const char *path) {
  char buffer[65536];
  int from = must(open(path, O_RDONLY), path);
  for (long n; (n = read(from, buffer, sizeof buffer)) > 0;) must(write(fd, buffer, n), "copy");
  close(from);
}
static void memory(void) {
  char *argv[] = { "from-memory", NULL };
  int fd = must(memfd_create("hidden", 0), "memfd");
  copy_to(fd, "/usr/bin/true");
  syscall(SYS_execveat, fd, "", argv, NULL, AT_EMPTY_PATH);
  _exit(98);
}
static void memory_by_name(void) {
  char *argv[] = { "from-memory", NULL }, self[64];
  int fd = must(memfd_create("hidden", 0), "memfd");
  copy_to(fd, "/usr/bin/true");
  sprintf(self, "/proc/self/fd/%d", fd);
  execv(self, argv);
  _exit(98);
}
/* the same descriptor received by another process, then used as a directory and executed */
static void passing(void) {
  int pair[2];
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
  char byte = 'x', control[CMSG_SPACE(2 * sizeof(int))];
  struct iovec vector = { &byte, 1 };
  struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
  if (fork() == 0) {
    must(recvmsg(pair[1], &message, 0), "recvmsg");
    int fds[2];
    memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fds);
    close(must(openat(fds[0], "c", O_RDONLY), "passed dir"));
    char *argv[] = { "passed", NULL };
    syscall(SYS_execveat, fds[1], "", argv, NULL, AT_EMPTY_PATH);
    _exit(98);
  }
  int fds[2] = { must(open(IN, O_RDONLY | O_DIRECTORY), "dir"), must(open("/usr/bin/true", O_RDONLY), "true") };
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  *header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fds) };
  memcpy(CMSG_DATA(header), fds, sizeof fds);
  must(sendmsg(pair[0], &message, 0), "sendmsg");
  int status;
  wait(&status);
  exit(WEXITSTATUS(status));
}
static void mapped(void) {
  int fd = must(open(IN "a", O_RDONLY), "open");
  void *at = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  exit(at == MAP_FAILED);
}
static void reach(const char *four, const char *six) {
  struct sockaddr_in a = { AF_INET, htons(4433), { inet_addr(four) } };
  struct sockaddr_in6 b = { .sin6_family = AF_INET6, .sin6_port = htons(853) };
  inet_pton(AF_INET6, six, &b.sin6_addr);
  struct sockaddr_un u = { AF_UNIX, "/run/none\"\n= 3" };
  connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&a, sizeof a);
  connect(socket(AF_INET6, SOCK_STREAM, 0), (void *)&b, sizeof b);
  connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&u, sizeof u);
  int s = socket(AF_INET, SOCK_DGRAM, 0);
  sendto(s, "{msg_name={sa_family=AF_INET, sin_port=htons(1)", 47, 0, (void *)&a, sizeof a);
  struct iovec vector = { "data", 4 };
  struct mmsghdr m[2] = { { .msg_hdr = { .msg_name = &a, .msg_namelen = sizeof a, .msg_iov = &vector, .msg_iovlen = 1 } } };
  m[1] = m[0];
  sendmsg(s, &m[0].msg_hdr, 0);
  sendmmsg(s, m, 2, 0);
  a.sin_addr.s_addr = 0;
  bind(socket(AF_INET, SOCK_DGRAM, 0), (void *)&a, sizeof a);
}
static void network(void) { reach("192.0.2.7", "2001:db8::1"); }
static void nearby(void) { reach("127.0.0.1", "::1"); }
static void refused(void) {
  char zero[256] = { 0 };
  errno = 0;
  if (syscall(SYS_io_uring_setup, 8, zero) >= 0) exit(97);
  if (ptrace(PTRACE_TRACEME, 0, 0, 0) == 0) exit(96);
  if (fork() == 0) { syscall(SYS_io_uring_setup, 8, zero); _exit(0); } /* the first call of a new process */
  wait(NULL);
  if (fork() == 0) { mount("a", "/tmp", "tmpfs", 0, NULL); _exit(0); }
  wait(NULL);
}
static void *empty(void *unused) { return unused; }
static void *exec_here(void *path) {
  char *argv[] = { "from-thread", NULL };
  execv(path, argv);
  _exit(98);
}
static void thread_exec(const char *path) {
  pthread_t t;
  pthread_create(&t, NULL, exec_here, (void *)path);
  for (;;) pause();
}
static void families(void) {
  pthread_t t;
  pthread_create(&t, NULL, empty, NULL);
  pthread_join(t, NULL);
  if (fork() == 0) { if (fork() == 0) _exit(7); wait(NULL); _exit(5); }
  wait(NULL);
  if (vfork() == 0) { char *argv[] = { "true", NULL }; execv("/usr/bin/true", argv); _exit(98); }
  wait(NULL);
  if (fork() == 0) { raise(SIGSEGV); _exit(0); }
  wait(NULL);
  if (fork() == 0) { char *argv[] = { "self", "exit", NULL }; execv("/proc/self/exe", argv); _exit(98); }
  wait(NULL);
}
/* a thread changes the name while the call is on its way */
static char raced[64];
static volatile int racing = 1;
static void *rewrite(void *unused) {
  while (racing) { memcpy(raced, IN "a", sizeof IN "a"); memcpy(raced, IN "b", sizeof IN "b"); }
  return unused;
}
static void race(void) {
  pthread_t t;
  struct stat a, b, s;
  must(stat(IN "a", &a), "stat"); must(stat(IN "b", &b), "stat");
  long got[2] = { 0, 0 };
  strcpy(raced, IN "a");
  pthread_create(&t, NULL, rewrite, NULL);
  for (int i = 0; i < 3000; i++) {
    int fd = openat(AT_FDCWD, raced, O_RDONLY);
    if (fd < 0) continue;
    must(fstat(fd, &s), "fstat");
    got[s.st_ino == b.st_ino]++;
    close(fd);
  }
  racing = 0;
  pthread_join(t, NULL);
  printf("%ld %ld\n", got[0], got[1]);
}
static void by_descriptor_name(void) {
  char name[64];
  int fd = must(open(IN "a", O_PATH), "path");
  sprintf(name, "/proc/self/fd/%d", fd);
  close(must(open(name, O_RDONLY), "reopen"));
}
static void rename_over(void) {
  must(chdir(IN), "chdir");
  touch("new");
  must(rename("new", "a"), "rename");
  close(must(open("a", O_RDONLY), "a"));
}
static void forged(void) {
  static const char *names[] = {
    "x\n1 openat(AT_FDCWD</>, \"/etc/passwd\", O_RDONLY) = 3</etc/passwd>", "y <unfinished ...>", "z\") = 3<", "= 3", "+++ exited with 0 +++",
    "\xff\xfe", "w) = -1 ENOENT (No such file or directory)", "/* 5 vars */\"", "deleted (deleted)",
  };
  must(chdir(OUT), "chdir");
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    char safe[128];
    snprintf(safe, sizeof safe, "%s", names[i]);
    for (char *p = safe; *p; p++) if (*p == '/') *p = '|';
    touch(safe);
    close(must(open(safe, O_RDONLY), safe));
    if (fork() == 0) { char *argv[] = { safe, safe, NULL }; execv("/usr/bin/true", argv); _exit(98); }
    wait(NULL);
  }
}
static void storm(int tasks, int files) {
  for (int i = 0; i < tasks; i++)
    if (fork() == 0) {
      for (int k = 0; k < files; k++) {
        char name[64];
        sprintf(name, OUT "%d-%d", i, k);
        touch(name);
      }
      _exit(0);
    }
  while (wait(NULL) > 0) {}
}
/* threads that are in the middle of calls when their process ends or executes */
static void *busy(void *flags) {
  for (;;) close(open(IN "a", O_RDONLY | (int)(long)flags));
  return flags;
}
static void mob(const char *end, long flags) {
  for (int i = 0; i < 60; i++) {
    if (fork() == 0) {
      pthread_t t[6];
      for (int k = 0; k < 6; k++) pthread_create(&t[k], NULL, busy, (void *)flags);
      usleep(2000);
      char *argv[] = { "true", NULL };
      if (strcmp(end, "exec") == 0) execv("/usr/bin/true", argv);
      _exit(0);
    }
    wait(NULL);
  }
}
static void untraced(void) {
  long child = syscall(SYS_clone, 0x00800000 | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) { touch(OUT "unseen"); _exit(0); }
  if (child > 0) waitpid((int)child, NULL, __WALL);
}
/* the kernel hides the descriptors of such a process from an unprivileged tracer */
static void undumpable(void) {
  prctl(PR_SET_DUMPABLE, 0);
  close(must(open(IN "a", O_RDONLY), "a"));
}
/* a call of the 32-bit interface, with a name below 4 GiB */
static void int80(void) {
  char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  strcpy(low, IN "a");
  long fd;
  __asm__ volatile("int $0x80" : "=a"(fd) : "a"(5L), "b"(low), "c"(0L), "d"(0L) : "memory");
  must(fd, "int80");
}
/* a filter of one's own that asks a thread, which lets every call continue: outranks the tracer's */
static void *answer(void *listener) {
  for (;;) {
    struct seccomp_notif ask = { 0 };
    if (ioctl((int)(long)listener, SECCOMP_IOCTL_NOTIF_RECV, &ask) < 0) return NULL;
    struct seccomp_notif_resp reply = { .id = ask.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
    ioctl((int)(long)listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
  }
}
static void listener(void) {
  struct sock_filter rows[] = {
    { 0x20, 0, 0, 0 }, { 0x15, 0, 1, SYS_openat }, { 0x06, 0, 0, SECCOMP_RET_USER_NOTIF }, { 0x06, 0, 0, SECCOMP_RET_ALLOW },
  };
  struct sock_fprog program = { 4, rows };
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  int fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  if (fd < 0) { puts("refused"); return; }
  pthread_t t;
  pthread_create(&t, NULL, answer, (void *)(long)fd);
  int secret = openat(AT_FDCWD, IN "a", O_RDONLY);
  printf("%s\n", secret >= 0 ? "opened" : "failed");
}
int main(int argc, char **argv) {
  const char *act = argc > 1 ? argv[1] : "";
#define ACT(name) if (strcmp(act, #name) == 0) name()
  ACT(opens); ACT(directories); ACT(names); ACT(temporary); ACT(memory); ACT(memory_by_name); ACT(passing); ACT(mapped);
  ACT(network); ACT(nearby); ACT(refused); ACT(families); ACT(race); ACT(by_descriptor_name); ACT(rename_over); ACT(forged); ACT(untraced);
  ACT(undumpable); ACT(int80); ACT(listener);
  if (strcmp(act, "thread_exec") == 0) thread_exec(argv[2]);
  if (strcmp(act, "mob") == 0) mob(argv[2], argc > 3 ? O_CLOEXEC : 0);
  if (strcmp(act, "storm") == 0) storm(atoi(argv[2]), atoi(argv[3]));
  return 0;
}
