/**
 * Connects from other processes' networks and carries the bytes: see helper-protocol.ts. It ends with its standard input, that is, with the
 * agent. Only core Perl is used (`perl-base` on Debian). Neither backquotes nor dollar-brace may be written in it.
 */
export const HELPER_PROGRAM = String.raw`
use strict;
use warnings;
use POSIX ();
use Socket qw(:DEFAULT SOCK_NONBLOCK SOCK_CLOEXEC AF_INET6 inet_pton pack_sockaddr_in6);

$0 = "tepui-checks";
$SIG{PIPE} = $SIG{INT} = $SIG{TERM} = $SIG{HUP} = "IGNORE";
if (opendir(my $own, "/proc/self/fd")) {
  my @inherited = grep { /^\d+$/ && $_ > 2 && $_ != fileno($own) } readdir($own);
  closedir($own);
  POSIX::close($_) for @inherited;
}

my %setns = (x86_64 => 308, i686 => 346, armv7l => 375, ppc64le => 350, s390x => 339);
my $setns = $setns{ (POSIX::uname())[4] } || 268;
my ($input, $output) = ("", "");
my ($readers, $writers) = ("", "");
# By number of its file: [id, socket, what is still to be sent, whether it is connected].
my (%connections, %files);

sub forget {
  my ($file) = @_;
  vec($readers, $file, 1) = vec($writers, $file, 1) = 0;
  my $connection = delete $connections{$file} or return;
  delete $files{ $connection->[0] };
  close($connection->[1]);
}

sub failed {
  my ($file, $why) = @_;
  $output .= "f $connections{$file}[0] $why\n";
  forget($file);
}

sub connected {
  my ($file) = @_;
  my $connection = $connections{$file};
  $connection->[3] = 1;
  vec($writers, $file, 1) = 0;
  vec($readers, $file, 1) = 1;
  $output .= "c $connection->[0]\n";
}

sub connect_from {
  my ($id, $pid, $address, $port) = @_;
  my $network;
  open($network, "<", "/proc/$pid/ns/net") and syscall($setns, fileno($network), 0x40000000) == 0
    or return $output .= "g $id the container's network cannot be entered: $!\n";
  close($network);
  my $six = $address =~ /:/;
  my $family = $six ? AF_INET6 : AF_INET;
  my $to = inet_pton($family, $address) or return $output .= "f $id '$address' is no address\n";
  $to = $six ? pack_sockaddr_in6($port, $to) : pack_sockaddr_in($port, $to);
  socket(my $socket, $family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    or return $output .= "g $id no socket can be made: $!\n";
  my $done = connect($socket, $to);
  return $output .= "f $id $!\n" unless $done || $!{EINPROGRESS};
  my $file = fileno($socket);
  $connections{$file} = [$id, $socket, "", 0];
  $files{$id} = $file;
  $done ? connected($file) : (vec($writers, $file, 1) = 1);
}

sub send_on {
  my ($file) = @_;
  my $connection = $connections{$file};
  my $count = syswrite($connection->[1], $connection->[2]);
  return failed($file, $!) if !defined $count && !$!{EAGAIN};
  substr($connection->[2], 0, $count) = "" if $count;
  vec($writers, $file, 1) = $connection->[2] eq "" ? 0 : 1;
}

sub writable {
  my ($file) = @_;
  my $connection = $connections{$file} or return;
  if (!$connection->[3]) {
    my $problem = unpack("i", getsockopt($connection->[1], SOL_SOCKET, SO_ERROR));
    if ($problem) {
      $! = $problem;
      return failed($file, $!);
    }
    connected($file);
  }
  send_on($file) if $connection->[2] ne "";
}

sub readable {
  my ($file) = @_;
  my $connection = $connections{$file} or return;
  my $count = sysread($connection->[1], my $data, 65536);
  if (!defined $count) {
    failed($file, $!) unless $!{EAGAIN};
  } elsif ($count) {
    $output .= "d $connection->[0] $count\n$data";
  } else {
    vec($readers, $file, 1) = 0;
    $output .= "e $connection->[0]\n";
  }
}

sub obey {
  while ($input =~ /^([OWC]) (\d+) ?([^\n]*)\n/) {
    my ($type, $id, $rest, $begin) = ($1, $2, $3, $+[0]);
    my $length = $type eq "W" ? $rest : 0;
    return if length($input) < $begin + $length;
    my $data = substr($input, $begin, $length);
    substr($input, 0, $begin + $length) = "";
    if ($type eq "O") { connect_from($id, split(/ /, $rest)); next }
    my $file = $files{$id};
    next unless defined $file;
    if ($type eq "C") { forget($file); next }
    $connections{$file}[2] .= $data;
    send_on($file) if $connections{$file}[3];
  }
}

while (1) {
  my ($in, $out) = ($readers, $writers);
  vec($in, 0, 1) = 1;
  my $count = select($in, $out, undef, undef);
  next if $count < 0;
  if (vec($in, 0, 1)) {
    my $read = sysread(STDIN, $input, 65536, length($input));
    exit(0) if defined $read && $read == 0;
    $count--;
  }
  if ($count > 0) {
    for my $file (keys %connections) {
      writable($file) if vec($out, $file, 1);
      readable($file) if vec($in, $file, 1);
    }
  }
  obey();
  while ($output ne "") {
    my $written = syswrite(STDOUT, $output);
    next if !defined $written && $!{EINTR};
    exit(0) unless defined $written;
    substr($output, 0, $written) = "";
  }
}
`;
