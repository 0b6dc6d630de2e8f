/**
 * The helper: what needs system calls that Node has none for, in Perl, which every Debian and Ubuntu has as an essential package and
 * which needs no compiler.
 *
 * Requests are lines of fields parted by tabs, `<id> <command> <argument>...`:
 * - `watch <control file> <event_control file> <argument>`: registers an eventfd with a v1 group; each time it is raised the line
 *   `event <id> <times>` is written;
 * - `unwatch <id of the watch>`;
 * - `devices <directory> <program in hex>`: loads an eBPF device program and puts it in the place of those attached to a v2 group.
 *
 * Each is answered by `<id> ok`, or `<id> error <errno> <what was tried>`. The helper ends with its standard input.
 */
export const HELPER_SOURCE = String.raw`
use strict;
use POSIX ();
use Fcntl;

$SIG{$_} = "IGNORE" for qw(INT TERM HUP);
$| = 1;

# Numbers of eventfd2(2), bpf(2), epoll_create1(2), epoll_ctl(2) and epoll_pwait(2).
my %numbers = (
  x86_64 => [290, 321, 291, 233, 281],
  aarch64 => [19, 280, 20, 21, 22],
  riscv64 => [19, 280, 20, 21, 22],
  ppc64le => [314, 361, 315, 237, 303],
);
my $machine = (POSIX::uname())[4];
my ($EVENTFD2, $BPF, $EPOLL_CREATE, $EPOLL_CTL, $EPOLL_PWAIT) = @{ $numbers{$machine} // [] };
# struct epoll_event with a file descriptor: the kernel packs it on x86 alone.
my $EPOLL_EVENT = $machine eq "x86_64" ? "L Q" : "L x4 Q";
my $EPOLL_EVENT_BYTES = length(pack($EPOLL_EVENT, 0, 0));

my %watches;    # id => [file handle]
my %id_of;      # file descriptor => id
my $epoll;      # file descriptor of the set of all of them, so that thousands cost no more than one

sub failed { my ($what) = @_; die { errno => $! + 0, what => $what }; }

sub numbers_known {
  return if defined $BPF;
  $! = 38;      # ENOSYS
  failed("look up the system calls of $machine");
}

sub watch {
  my ($id, $control, $event_control, $argument) = @_;
  numbers_known();
  my $event = syscall($EVENTFD2, 0, 02000000);    # close on exec
  failed("make an eventfd") if $event < 0;
  open(my $handle, "+<&=", $event) or failed("open an eventfd");
  sysopen(my $file, $control, O_RDONLY) or failed("open $control");
  sysopen(my $registry, $event_control, O_WRONLY) or failed("open $event_control");
  my $line = "$event " . fileno($file) . ($argument eq "" ? "" : " $argument");
  defined(syswrite($registry, $line)) or failed("write to $event_control");
  if (!defined $epoll) {
    my $set = syscall($EPOLL_CREATE, 02000000);
    failed("make an epoll set") if $set < 0;
    $epoll = $set;
  }
  # EPOLL_CTL_ADD, EPOLLIN. What is closed leaves the set by itself.
  my $entry = pack($EPOLL_EVENT, 1, $event);
  failed("watch an eventfd") if syscall($EPOLL_CTL, $epoll, 1, $event, $entry) < 0;
  $watches{$id} = $handle;
  $id_of{$event} = $id;
}

sub unwatch {
  my ($id) = @_;
  my $handle = delete $watches{$id} or return;
  delete $id_of{fileno($handle)};
  close($handle);
}

sub bpf {
  my ($command, undef, $what) = @_;
  my $result = syscall($BPF, $command, $_[1], length($_[1]));    # the kernel answers in place
  failed($what) if $result < 0;
  return $result;
}

sub address { return unpack("Q", pack("P", $_[0])); }

sub devices {
  my ($directory, $hex) = @_;
  numbers_known();
  my ($LOAD, $ATTACH, $DETACH, $FD_BY_ID, $QUERY) = (5, 8, 9, 13, 16);
  my ($PROGRAM_TYPE, $ATTACH_TYPE, $ALLOW_MULTI, $REPLACE) = (15, 6, 2, 4);
  my @open;
  my $done = eval {
    my $instructions = pack("H*", $hex);
    my $license = "Apache-2.0\0";
    my $load = pack("L L Q Q L L Q L L a16", $PROGRAM_TYPE, length($instructions) / 8, address($instructions),
      address($license), 0, 0, 0, 0, 0, "cgroup_devices");
    push @open, my $program = bpf($LOAD, $load, "load a device program");
    sysopen(my $group, $directory, O_RDONLY) or failed("open $directory");
    my $ids = "\0" x (4 * 64);
    my $query = pack("L L L L Q L L", fileno($group), $ATTACH_TYPE, 0, 0, address($ids), 64, 0);
    bpf($QUERY, $query, "list the device programs of $directory");
    my $count = (unpack("L L L L Q L", $query))[5];
    my @old = map { bpf($FD_BY_ID, pack("L", $_), "open a device program") } (unpack("L64", $ids))[0 .. $count - 1];
    push @open, @old;
    my ($replaced, @others) = @old;
    my $flags = $ALLOW_MULTI | (defined $replaced ? $REPLACE : 0);
    my $attach = pack("L L L L L", fileno($group), $program, $ATTACH_TYPE, $flags, $replaced // 0);
    bpf($ATTACH, $attach, "attach a device program to $directory");
    bpf($DETACH, pack("L L L L L", fileno($group), $_, $ATTACH_TYPE, 0, 0), "detach a device program") for @others;
    1;
  };
  my $error = $@;
  POSIX::close($_) for @open;
  die $error unless $done;
}

my %commands = (
  watch => \&watch,
  unwatch => sub { unwatch($_[1]) },
  devices => sub { devices(@_[1 .. 2]) },
);

sub serve {
  my ($id, $command, @arguments) = split(/\t/, $_[0], -1);
  my $done = eval { $commands{$command}->($id, @arguments); 1 };
  my $error = $@;
  return print("$id\tok\n") if $done;
  return print("$id\terror\t$error->{errno}\t$error->{what}\n") if ref $error;
  $error =~ s/[\t\n]/ /g;
  print("$id\terror\t0\t$error\n");
}

sub tell_events {
  my $most = 64;
  my $entries = "\0" x ($most * $EPOLL_EVENT_BYTES);
  my $count = syscall($EPOLL_PWAIT, $epoll, $entries, $most, 0, 0, 8);
  for my $index (0 .. $count - 1) {
    my (undef, $event) = unpack($EPOLL_EVENT, substr($entries, $index * $EPOLL_EVENT_BYTES, $EPOLL_EVENT_BYTES));
    my $id = $id_of{$event} // next;
    my $read = sysread($watches{$id}, my $value, 8);
    print("event\t$id\t", unpack("Q", $value), "\n") if $read;
  }
}

my $input = "";
while (1) {
  my $ready = "";
  vec($ready, $_, 1) = 1 for 0, $epoll // ();
  next if select($ready, undef, undef, undef) < 0;
  tell_events() if defined $epoll && vec($ready, $epoll, 1);
  next unless vec($ready, 0, 1);
  my $read = sysread(STDIN, $input, 65536, length($input));
  next if !defined $read && $!{EINTR};
  exit 0 unless $read;
  serve($1) while $input =~ s/\A([^\n]*)\n//;
}
`;
