/** What the attacks aim at, as the host sees it. */
export interface Targets {
  /** Process of the host. */
  readonly victim: number;
  /** File of the host that everybody may read. */
  readonly marker: string;
  /** Directory of another container, and that of the agent. */
  readonly sandbox: string;
  readonly workDir: string;
  /** Where a file system may be mounted, and a directory to change the root to. */
  readonly mountPoint: string;
  /** Places to unmount; empty: all that are mounted. */
  readonly unmount: readonly string[];
  /** Setting of a control group. */
  readonly group: string;
  readonly setuid: string;
}

export const ATTACKS = [
  "open a block device",
  "mount a file system",
  "unmount",
  "leave the root directory",
  "see the host's processes",
  "signal the host's processes",
  "trace the host's processes",
  "read another sandbox",
  "read the agent's directory",
  "change the kernel's settings",
  "change a device's settings",
  "lift a limit of its control group",
  "make a namespace",
  "raise a resource limit",
  "take a capability",
  "become root",
] as const;

export type Attack = (typeof ATTACKS)[number];

/**
 * A perl program that tries each of them, and prints `NAME: succeeded` or `NAME: REASON`. What succeeds on the host itself changes nothing
 * there: it writes the values that are there already, and signals with 0.
 */
export const attackProgram = (targets: Targets): string => String.raw`
use strict;
use warnings;
my $arm = (POSIX_uname())[4] =~ /aarch64/;
sub POSIX_uname { require POSIX; POSIX::uname() }
my %number = $arm
  ? (mount => 40, umount => 39, ptrace => 117, unshare => 97, prlimit => 261, capget => 90, capset => 91, mknodat => 33)
  : (mount => 165, umount => 166, ptrace => 101, unshare => 272, prlimit => 302, capget => 125, capset => 126, mknodat => 259);
my ($victim, $marker, $sandbox, $work_dir, $mount_point, $group, $setuid) = (${[
  targets.victim,
  ...[
    targets.marker,
    targets.sandbox,
    targets.workDir,
    targets.mountPoint,
    targets.group,
    targets.setuid,
  ].map((text) => `'${text}'`),
].join(", ")});
my @unmount = (${targets.unmount.map((path) => `'${path}'`).join(", ")});

# What the kernel fills in reaches the caller: the arguments are not copied.
sub call { my $name = shift; syscall($number{$name}, @_) == 0 or die "$!\n" }
sub read_file { my ($path) = @_; open(my $file, "<", $path) or die "$!\n"; defined sysread($file, my $text, 65536) or die "$!\n"; $text }
sub write_file { my ($path, $text) = @_; open(my $file, ">", $path) or die "$!\n"; defined syswrite($file, $text) or die "$!\n" }
sub apart { my ($code) = @_;
  pipe(my $in, my $out);
  my $pid = fork();
  if (!$pid) { eval { $code->(); 1 } or syswrite($out, $@); exit 0 }
  close($out);
  waitpid($pid, 0);
  my $problem = join("", <$in>);
  die $problem if $problem ne "";
}
sub attempt { my ($name, $code) = @_;
  my $done = eval { apart($code); 1 };
  my $problem = $@ =~ s/\s+$//r;
  print "$name: ", $done ? "succeeded" : ($problem || "failed"), "\n";
}

attempt("open a block device", sub {
  my $node = "block-$$";
  my $made = syscall($number{mknodat}, -100, $node, 060600, 7 << 8) == 0;
  my $problem = "$!";
  my $opened = $made && open(my $file, "<", $node);
  $problem = "$!" if $made;
  unlink($node);
  die "$problem\n" unless $opened;
});
attempt("mount a file system", sub {
  mkdir($mount_point);
  call("mount", my $none = "none", $mount_point, my $type = "tmpfs", 0, 0);
  call("umount", $mount_point, 2);
});
attempt("unmount", sub {
  my @places = @unmount ? @unmount : map { (split / /)[4] } split /\n/, read_file("/proc/self/mountinfo");
  die "nothing is mounted\n" unless @places;
  my $problem = "";
  for my $place (@places) { return if eval { call("umount", my $path = $place, 2); 1 }; $problem = $@ }
  die $problem;
});
attempt("leave the root directory", sub {
  opendir(my $outside, "/");
  mkdir("/tmp/cell-$$");
  chroot("/tmp/cell-$$") or die "$!\n";
  chdir($outside) or die "$!\n";
  chdir("..") for 1 .. 64;
  chroot(".") or die "$!\n";
  rmdir("/tmp/cell-$$");
  -e $marker or -e "/proc/1/root$marker" or -e "/proc/1/cwd/$marker" or die "the host's files are not there\n";
});
attempt("see the host's processes", sub { read_file("/proc/$victim/environ") =~ /VICTIM/ or die "it is another\n" });
attempt("signal the host's processes", sub { kill(0, $victim) or die "$!\n" });
attempt("trace the host's processes", sub {
  call("ptrace", 16, $victim, 0, 0);
  waitpid($victim, 0);
  call("ptrace", 17, $victim, 0, 0);
});
attempt("read another sandbox", sub { read_file("$sandbox/stdout") });
attempt("read the agent's directory", sub { opendir(my $directory, "$work_dir/meta") or die "$!\n" });
attempt("change the kernel's settings", sub {
  my $setting = "/proc/sys/vm/swappiness";
  write_file($setting, read_file($setting));
});
attempt("change a device's settings", sub {
  my ($setting) = glob("/sys/block/*/queue/rq_affinity");
  defined $setting or die "there is no such setting here\n";
  write_file($setting, read_file($setting));
});
attempt("lift a limit of its control group", sub {
  -e $group or die "no setting $group\n";
  write_file($group, read_file($group));
});
attempt("make a namespace", sub { call("unshare", 0x10000000) });
attempt("raise a resource limit", sub {
  my $more = pack("QQ", 512, 512);
  call("prlimit", 0, 7, $more, 0);
  my @files;
  for (1 .. 200) { open($files[$_], "<", "/dev/null") or die "$!\n" }
});
attempt("take a capability", sub {
  my ($header, $data) = (pack("LL", 0x20080522, 0), "\0" x 24);
  call("capget", $header, $data);
  my @sets = unpack("L6", $data);
  $_ |= 1 << 21 for @sets[0, 1];
  my $wanted = pack("L6", @sets);
  call("capset", $header, $wanted);
});
attempt("become root", sub {
  my $nobody = 65534;
  $( = $) = "$nobody $nobody";
  $< = $nobody; $> = $nobody;
  my $user = qx('$setuid');
  defined $user && $user =~ /^\d+$/ or die "$!\n";
  $user == 0 or die "it is user $user";
});
`;

/** What the program printed, by attack. */
export function results(stdout: string): ReadonlyMap<string, string> {
  return new Map([...stdout.matchAll(/^(.+?): (.+)$/gm)].map(([, name, result]) => [name!, result!]));
}
