/**
 * How the helper of checks connects, from whichever network. Part of its program: see helper-program.ts.
 */
export const HELPER_CONNECTIONS = `
# Sockets go by their numbers: Perl's own files cost as much as all else here. setns, socket, connect, getsockopt:
my %calls = (
  x86_64 => [308, 41, 42, 55], i686 => [346, 359, 362, 365], armv7l => [375, 281, 283, 295], ppc64le => [350, 326, 328, 340],
  s390x => [339, 359, 362, 365],
);
my ($setns, $new_socket, $connect, $getsockopt) = @{ $calls{ (POSIX::uname())[4] } || [268, 198, 203, 209] };
my $stream = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
# Family and address, by text.
my %places;

# The network that this process is in: that of process $where, 0 for its own.
open(my $own_network, "<", "/proc/self/ns/net");
my $where = 0;

sub enter {
  my ($pid) = @_;
  return 1 if $pid == $where;
  my $theirs;
  if ($pid) { open($theirs, "<", "/proc/$pid/ns/net") or return 0 }
  my $file = fileno($theirs || $own_network);
  return 0 unless defined $file && syscall($setns, $file, 0x40000000) == 0;
  $where = $pid;
  return 1;
}

sub place {
  my ($address, $port) = @_;
  %places = () if keys %places > 10000;
  my $six = $address =~ /:/;
  my $family = $six ? AF_INET6 : AF_INET;
  my $to = inet_pton($family, $address) or return;
  return $places{"$address $port"} = [$family, $six ? pack_sockaddr_in6($port, $to) : pack_sockaddr_in($port, $to)];
}

# Gives a socket, and whether it is connected already; none where that failed, of which it tells.
sub connect_from {
  my ($id, $pid, $place) = @_;
  if ($pid != $where && !enter($pid)) {
    say_to_agent("g", $id, "the container's network cannot be entered: $!");
    return;
  }
  my $to = $places{$place} || place(split(/ /, $place));
  if (!$to) {
    say_to_agent("f", $id, "'$place' is no address");
    return;
  }
  my $socket = syscall($new_socket, $to->[0], $stream, 0);
  if ($socket < 0) {
    say_to_agent("g", $id, "no socket can be made: $!");
    return;
  }
  # On a loopback interface the other side has answered before the second try.
  return ($socket, 1) if syscall($connect, $socket, $to->[1], length($to->[1])) == 0;
  return ($socket, 1) if $! == EINPROGRESS && syscall($connect, $socket, $to->[1], length($to->[1])) == 0;
  return ($socket, 0) if $! == EINPROGRESS || $! == EALREADY;
  my $why = "$!";
  POSIX::close($socket);
  say_to_agent("f", $id, $why);
  return;
}
`;
