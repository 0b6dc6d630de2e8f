/**
 * System calls that Perl has no word for, by number. The numbers of 64-bit Arm are those of every later architecture too.
 * Part of the helper's program: see program.ts.
 */
export const SYSTEM_CALLS = String.raw`
my %generic = (
  prctl => 167, prlimit64 => 261, capset => 91, mount => 40, umount2 => 39, pivot_root => 41, unshare => 97, setns => 268,
  sethostname => 161, mknodat => 33, fstatfs => 44, open_tree => 428, move_mount => 429, openat2 => 437, mount_setattr => 442,
  clone => 220,
);
my %numbers = (
  x86_64 => {
    prctl => 157, prlimit64 => 302, capset => 126, mount => 165, umount2 => 166, pivot_root => 155, unshare => 272, setns => 308,
    sethostname => 170, mknodat => 259, fstatfs => 138, open_tree => 428, move_mount => 429, openat2 => 437, mount_setattr => 442,
    clone => 56,
  },
  aarch64 => \%generic, riscv64 => \%generic, loongarch64 => \%generic,
  i686 => { prctl => 172, prlimit64 => 340 }, armv7l => { prctl => 172, prlimit64 => 369 },
  ppc64le => { prctl => 171, prlimit64 => 325 }, s390x => { prctl => 172, prlimit64 => 334 },
);
my $machine = (POSIX::uname())[4];
my %number = %{ $numbers{$machine} || {} };

# Numbers go as they are, text by address; undef is a null pointer. -1 and the error in $! when it fails.
sub sys {
  my ($name, @arguments) = @_;
  if (!defined $number{$name}) {
    $! = POSIX::ENOSYS();
    return -1;
  }
  defined $_ or $_ = 0 for @arguments;
  return syscall($number{$name}, @arguments);
}

# What keeps this host from containers with namespaces and mounts of their own; empty when nothing does.
sub lack {
  return "system calls of machine type '$machine' are not known" unless $number{mount};
  my $descriptor = below(-100, "/");
  return "the kernel has no openat2 (Linux 5.6 has)" if $descriptor < 0 && $!{ENOSYS};
  return "openat2 is denied: $!" if $descriptor < 0;
  POSIX::close($descriptor);
  return "";
}
`;
