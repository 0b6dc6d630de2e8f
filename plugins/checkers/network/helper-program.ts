import { HELPER_CONNECTIONS } from "./helper-connections.js";

const BEGINNING = String.raw`
use strict;
use warnings;
use Errno qw(EAGAIN EALREADY EINPROGRESS EINTR);
use POSIX ();
use Socket qw(:DEFAULT SOCK_NONBLOCK SOCK_CLOEXEC AF_INET6 inet_pton pack_sockaddr_in6);

$0 = "tepui-checks";
$SIG{PIPE} = $SIG{INT} = $SIG{TERM} = $SIG{HUP} = "IGNORE";
if (opendir(my $own, "/proc/self/fd")) {
  my @inherited = grep { /^\d+$/ && $_ > 2 && $_ != fileno($own) } readdir($own);
  closedir($own);
  POSIX::close($_) for @inherited;
}
`;

const EXCHANGES = String.raw`
my ($input, $output) = ("", "");
my ($readers, $writers) = ("", "");
# As much as an answer may have before it is known what it is.
my $longest_head = 65536;
# By number of its socket: [id, what is still to be sent, whether it is connected, its answer so far, until when it may take]. The last
# two only where the answer is read here, and not carried.
my (%connections, %sockets);
# What is asked again and again, by id: [pid, place, request, interval, time-out, what was told last].
my %repeated;
# Times are in hundredths of a second; what is due within five of them goes together. By number of these moments: ids.
my $grain = 5;
my %due;
my ($now, $moment);

sub look_at_clock { $now = (POSIX::times())[0] }

sub schedule {
  my ($id, $after) = @_;
  my $at = POSIX::ceil(($now + $after) / $grain);
  $at = $moment + 1 if $at <= $moment;
  push @{ $due{$at} }, $id;
}

sub forget {
  my ($socket) = @_;
  vec($readers, $socket, 1) = vec($writers, $socket, 1) = 0;
  my $connection = delete $connections{$socket} or return;
  delete $sockets{ $connection->[0] };
  POSIX::close($socket);
}

# Of what is repeated it is not told again that all is well.
sub say_to_agent {
  my ($type, $id, $text) = @_;
  my $again = $repeated{$id};
  if ($again) {
    my $well = $type eq "c" || ($type eq "s" && $text < 400);
    my $known = $well && $again->[5] eq "$type$text";
    $again->[5] = "$type$text";
    if ($type eq "g") { delete $repeated{$id} } else { schedule($id, $again->[3]) }
    return if $known;
  }
  $output .= $text eq "" ? "$type $id\n" : "$type $id $text\n";
}

sub failed {
  my ($socket, $why) = @_;
  my $id = $connections{$socket}[0];
  forget($socket);
  say_to_agent("f", $id, "$why");
}

sub begin_asking {
  my ($id, $pid, $place, $request, $timeout) = @_;
  my ($socket, $connected) = connect_from($id, $pid, $place);
  return unless defined $socket;
  if ($connected && $request eq "") {
    POSIX::close($socket);
    return say_to_agent("c", $id, "");
  }
  $connections{$socket} = [$id, $request, $connected, "", $timeout && $now + $timeout];
  $sockets{$id} = $socket;
  if ($connected) { send_on($socket) } else { vec($writers, $socket, 1) = 1 }
}

sub begin_carrying {
  my ($id, $pid, $place) = @_;
  my ($socket, $connected) = connect_from($id, $pid, $place);
  return unless defined $socket;
  $connections{$socket} = [$id, "", $connected];
  $sockets{$id} = $socket;
  if ($connected) { connected($socket) } else { vec($writers, $socket, 1) = 1 }
}

sub connected {
  my ($socket) = @_;
  my $connection = $connections{$socket};
  $connection->[2] = 1;
  vec($writers, $socket, 1) = 0;
  vec($readers, $socket, 1) = 1;
  if (defined $connection->[3]) {
    return if $connection->[1] ne "";
    forget($socket);
  }
  say_to_agent("c", $connection->[0], "");
}

sub send_on {
  my ($socket) = @_;
  my $connection = $connections{$socket};
  my $count = POSIX::write($socket, $connection->[1], length($connection->[1]));
  return failed($socket, $!) if !defined $count && $! != EAGAIN;
  substr($connection->[1], 0, $count) = "" if $count;
  vec($readers, $socket, 1) = 1;
  vec($writers, $socket, 1) = $connection->[1] eq "" ? 0 : 1;
}

sub writable {
  my ($socket) = @_;
  my $connection = $connections{$socket} or return;
  if (!$connection->[2]) {
    my ($problem, $length) = (pack("i", 0), pack("i", 4));
    syscall($getsockopt, $socket, SOL_SOCKET, SO_ERROR, $problem, $length);
    if ($! = unpack("i", $problem)) { return failed($socket, $!) }
    connected($socket);
  }
  send_on($socket) if $connections{$socket} && $connection->[1] ne "";
}

# Whether no more has to be read to know what answer this is. What only comes before the answer is cut away.
sub is_enough {
  while ($_[0] =~ m{^HTTP/\d(?:\.\d)? [01]\d\d}) {
    $_[0] =~ /\r?\n\r?\n/ or return length($_[0]) > $longest_head;
    substr($_[0], 0, $+[0]) = "";
  }
  return 1 if length($_[0]) > $longest_head;
  return length($_[0]) >= 5 && substr($_[0], 0, 5) ne "HTTP/" if index($_[0], "\n") < 0;
  # Only of redirections more than the first line says something.
  return $_[0] =~ m{^HTTP/\d(?:\.\d)? 3\d\d} ? $_[0] =~ /\r?\n\r?\n/ : 1;
}

sub read_answer {
  my ($socket, $connection) = @_;
  my $count = POSIX::read($socket, my $data, 4096);
  if (!defined $count) {
    failed($socket, $!) unless $! == EAGAIN;
    return;
  }
  $connection->[3] .= $data if $count > 0;
  if ($connection->[3] =~ m{^HTTP/\d(?:\.\d)? ([24-9]\d\d)[^\n]*\n}) {
    my $status = $1;
    forget($socket);
    return say_to_agent("s", $connection->[0], $status);
  }
  return unless $count == 0 || is_enough($connection->[3]);
  forget($socket);
  say_to_agent("a", $connection->[0], length($connection->[3]));
  $output .= $connection->[3];
}

sub repeat {
  my ($ids) = @_;
  for my $id (@$ids) {
    my $again = $repeated{$id} or next;
    begin_asking($id, @$again[0, 1, 2, 4]);
  }
}

# Those that take too long, and those whose time has come.
sub keep_time {
  for my $socket (keys %connections) {
    my $connection = $connections{$socket};
    next unless $connection->[4] && $connection->[4] <= $now;
    forget($socket);
    say_to_agent("t", $connection->[0], "");
  }
  # Another process may have got the number of one that ended.
  $where = -1 if $where > 0;
  while ($moment <= $now / $grain) {
    repeat(delete $due{$moment}) if $due{$moment};
    $moment++;
  }
}

sub readable {
  my ($socket) = @_;
  my $connection = $connections{$socket} or return;
  return read_answer($socket, $connection) if defined $connection->[3];
  my $count = POSIX::read($socket, my $data, 65536);
  if (!defined $count) {
    failed($socket, $!) unless $! == EAGAIN;
  } elsif ($count > 0) {
    $output .= "d $connection->[0] $count\n$data";
  } else {
    vec($readers, $socket, 1) = 0;
    $output .= "e $connection->[0]\n";
  }
}

sub obey {
  # Another process may have got the number of one that ended.
  $where = -1 if $where > 0;
  my $from = 0;
  pos($input) = 0;
  while ($input =~ /\G([AROWC]) (\d+)(?: (\d+)(?: (\S+ \d+)(?: (\d+)(?: (\d+) (\d+))?)?)?)?\n/gc) {
    my ($type, $id, $number, $place, $length, $interval, $timeout, $begin) = ($1, $2, $3, $4, $5, $6, $7, $+[0]);
    $length = $number if $type eq "W";
    my $data = "";
    if ($length) {
      last if length($input) < $begin + $length;
      $data = substr($input, $begin, $length);
      $begin += $length;
    }
    $from = pos($input) = $begin;
    if ($type eq "A") { begin_asking($id, $number, $place, $data, 0); next }
    if ($type eq "R") {
      $repeated{$id} = [$number, $place, $data, $interval / 10, $timeout / 10, ""];
      schedule($id, $interval / 10);
      next;
    }
    delete $repeated{$id} if $type eq "C";
    if ($type eq "O") { begin_carrying($id, $number, $place); next }
    my $socket = $sockets{$id};
    next unless defined $socket;
    if ($type eq "C") { forget($socket); next }
    $connections{$socket}[1] .= $data;
    send_on($socket) if $connections{$socket}[2];
  }
  substr($input, 0, $from) = "";
}

# Calls what is given with each number of a set.
sub each_of {
  my ($set, $do) = @_;
  my $bits = unpack("b*", $set);
  my $socket = -1;
  $do->($socket) while ($socket = index($bits, "1", $socket + 1)) >= 0;
}

while (1) {
  # What comes within a moment goes together: waking up costs more than all else.
  select(undef, undef, undef, 0.003) if %connections;
  my ($in, $out) = ($readers, $writers);
  vec($in, 0, 1) = 1;
  # While there is something to repeat, there is a next moment.
  look_at_clock();
  my $pause = %repeated ? ($moment * $grain - $now) / 100 : undef;
  my $count = select($in, $out, undef, defined $pause && $pause < 0 ? 0 : $pause);
  look_at_clock();
  $moment = POSIX::ceil($now / $grain) unless %repeated;
  next if $count < 0;
  if (vec($in, 0, 1)) {
    my $read = sysread(STDIN, $input, 65536, length($input));
    exit(0) if defined $read && $read == 0;
    vec($in, 0, 1) = 0;
    $count--;
  }
  if ($count > 0) {
    each_of($out, \&writable);
    each_of($in, \&readable);
  }
  obey() if $input ne "";
  keep_time() if %repeated;
  while ($output ne "") {
    my $written = syswrite(STDOUT, $output);
    next if !defined $written && $! == EINTR;
    exit(0) unless defined $written;
    substr($output, 0, $written) = "";
  }
}
`;

/**
 * Makes connections, also from other processes' networks, and carries the bytes: see helper-protocol.ts. It ends with its standard input,
 * that is, with the agent. Only core Perl is used (`perl-base` on Debian). Neither backquotes nor dollar-brace may be written in it.
 */
export const HELPER_PROGRAM = [BEGINNING, HELPER_CONNECTIONS, EXCHANGES].join("");
