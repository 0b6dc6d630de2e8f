/**
 * The switchboard: the process beside a shim that holds the streams of a container which can be attached to. Part of the helper's
 * program: see program.ts.
 *
 * It reads what the container writes, or the master's side of its terminal, writes that to the logs and to everybody attached, and feeds
 * the container from one writer at a time. It is served on a unix socket with frames as in ../../../sdk/container-streams/frames.ts. It outlives the
 * agent, and ends once the shim did, all output is read, and those attached have taken what is theirs, or do not.
 *
 * Nobody attached holds the container up: who is behind by more than a buffer is cut off. The exception is a session, which is there for
 * who attaches: its output waits for the first one, and for those that are slow, as long as something moves within a minute.
 */
export const SWITCHBOARD = String.raw`
my ($reader_limit, $input_limit, $frame_limit, $peer_limit) = (1 << 20, 1 << 16, 1 << 16, 500);
# In seconds: of a session with those who are slow, with the first one who attaches; and of one that ends, with all.
my ($slow_patience, $first_patience, $last_patience) = (60, 30, 10);
my $ticks = POSIX::sysconf(POSIX::_SC_CLK_TCK());

# Whatever becomes of the clock.
sub seconds { (POSIX::times())[0] / $ticks }

sub listen_at {
  my ($path) = @_;
  my ($directory, $name) = split_path($path);
  # From within the directory: addresses are short.
  my $listener;
  my $listening = socket($listener, 1, 1, 0) && chdir($directory) && (unlink($name) || $!{ENOENT})
    && bind($listener, pack("S Z*", 1, $name)) && listen($listener, 64);
  my $problem = $!;
  chdir("/");
  die "$path: $problem\n" unless $listening;
  return $listener;
}

# Puts a switchboard between a container and its logs. It closes what else is open. Gives what failed.
sub start_switchboard {
  my ($request, @others) = @_;
  my $logs = delete $request->{pipes} || {};
  my (%board, %ends, $report);
  eval {
    my $owner = $request->{account} ? $request->{account}[1] : $>;
    if ($request->{terminal}) {
      my ($master, $slave, $path) = make_terminal(@{ $request->{terminal} });
      chown($owner, -1, $path) && chmod(0620, $path) or die "$path: $!\n";
      $request->{terminal_path} = $path;
      %board = (input => $master, stdout => $master, slave => $slave);
      %ends = (stdin => $slave, stdout => $slave, stderr => $slave);
    } else {
      pipe($ends{stdin}, $board{input}) && pipe($board{stdout}, $ends{stdout}) && pipe($board{stderr}, $ends{stderr}) or die "$!\n";
      # So that it can open them again, by /dev/stdout and the like.
      chown($owner, -1, values %ends) or die "$!\n";
    }
    pipe($board{lifeline}, $request->{lifeline}) && pipe($request->{started}{switchboard}, $report) or die "$!\n";
    $board{listener} = listen_at($request->{switchboard});
    1;
  } or do {
    chomp(my $text = $@);
    return "Failed to make the streams of the container: $text";
  };
  my $pid = fork();
  return "Failed to fork: $!" unless defined $pid;
  $request->{pipes} = \%ends;
  return "" if $pid;
  close($_) for $request->{lifeline}, values %{ $request->{started} }, @others;
  if (!$request->{terminal}) { close($_) for values %ends }
  return POSIX::_exit(0) if eval { switchboard($request, \%board, $logs, $report); 1 };
  chomp(my $problem = $@);
  syswrite($report, $problem) if defined fileno($report);
  POSIX::_exit(1);
}

sub switchboard {
  my ($request, $board, $logs, $report) = @_;
  $0 = "tepui-switchboard $request->{id}";
  POSIX::setsid();
  $SIG{CHLD} = "DEFAULT";
  open(STDIN, "<", "/dev/null");
  open(STDOUT, ">", "/dev/null");
  open(STDERR, ">", "/dev/null");
  as_user($request, sub { $logs->{$_} ||= open_log($request->{$_}) for "stdout", $request->{terminal} ? () : "stderr" });
  # All that comes through a terminal is in the one; the other is made all the same.
  as_user($request, sub { open_log($request->{stderr}) if defined $request->{stderr} }) if $request->{terminal};
  my $file = (stat($request->{switchboard}))[1];
  delete $request->{pipes};
  close($report);
  my @sources = map { { handle => $board->{$_}, log => $logs->{$_}, type => $_ eq "stdout" ? "1" : "2", late => "" } }
    grep { $board->{$_} } "stdout", "stderr";
  for my $handle ($board->{input}, $board->{listener}, map { ($_->{handle}, $_->{log}) } @sources) {
    fcntl($handle, POSIX::F_SETFL(), fcntl($handle, POSIX::F_GETFL(), 0) | POSIX::O_NONBLOCK());
  }
  serve_streams({
    %$board, sources => \@sources, peers => {}, typed => "", terminal => $request->{terminal}, session => $request->{session},
    there => sub { defined $file && ((stat($request->{switchboard}))[1] || 0) == $file },
  });
  unlink($request->{switchboard}) if ((stat($request->{switchboard}))[1] || 0) == ($file || -1);
}

sub frame { pack("a1 N/a*", @_) }

# Puts a frame into a peer's queue.
sub give {
  my ($peer, $frame) = @_;
  $peer->{moved} = seconds() unless @{ $peer->{queue} };
  push @{ $peer->{queue} }, $frame;
  $peer->{size} += length($frame);
}

# A reader that does not keep up gets no more than the frame that is on its way, and why.
sub cut_off {
  my ($peer) = @_;
  splice(@{ $peer->{queue} }, $peer->{sent} ? 1 : 0);
  $peer->{size} = $peer->{sent} ? length($peer->{queue}[0]) : 0;
  $peer->{cut} = 1;
  give($peer, frame("S", ""));
}

sub drop {
  my ($board, $peer) = @_;
  delete $board->{peers}{ fileno($peer->{handle}) };
  $board->{writer} = undef if $board->{writer} && $board->{writer} == $peer;
  close($peer->{handle});
}

# Nothing more can be fed to the container.
sub close_input {
  my ($board) = @_;
  close($board->{input}) if $board->{input} && !$board->{terminal};
  $board->{input} = undef;
  $board->{typed} = "";
  $board->{ends} = 0;
  give($board->{writer}, frame("C", "")) if $board->{writer} && !$board->{writer}{told}++;
}

sub feed {
  my ($board) = @_;
  if ($board->{typed} ne "") {
    my $count = syswrite($board->{input}, $board->{typed});
    if (defined $count) { substr($board->{typed}, 0, $count) = "" }
    elsif (!$!{EAGAIN} && !$!{EINTR}) { return close_input($board) }
  }
  close_input($board) if $board->{ends} && $board->{typed} eq "";
}

sub take_frame {
  my ($board, $peer, $type, $content) = @_;
  if ($type eq "O" && !$peer->{role}) {
    $peer->{role} = "reader";
    $board->{held} = 0;
    return give($peer, frame("A", ""));
  }
  if ($type eq "I" && !$peer->{role}) {
    $peer->{role} = "writer";
    return give($peer, frame("B", "")) if $board->{writer};
    $board->{writer} = $peer;
    give($peer, frame("A", ""));
    give($peer, frame("C", "")) if !$board->{input} && !$peer->{told}++;
    return;
  }
  return unless $board->{writer} && $board->{writer} == $peer && $board->{input};
  if ($type eq "d") { $board->{typed} .= $content }
  # A terminal has no end: who wants its programs to read one types the character for it.
  elsif ($type eq "e") { $board->{ends} = 1 unless $board->{terminal} }
  elsif ($type eq "w" && $board->{terminal}) { set_size($board->{input}, unpack("nn", $content)) if length($content) == 4 }
  feed($board);
}

sub listen_to {
  my ($board, $peer) = @_;
  my $count = sysread($peer->{handle}, $peer->{said}, $frame_limit, length($peer->{said}));
  return if !defined $count && ($!{EAGAIN} || $!{EINTR});
  return drop($board, $peer) unless $count;
  while (length($peer->{said}) >= 5) {
    my ($type, $length) = unpack("a1 N", $peer->{said});
    return drop($board, $peer) if $length > $frame_limit;
    last if length($peer->{said}) < 5 + $length;
    my $content = substr($peer->{said}, 5, $length);
    substr($peer->{said}, 0, 5 + $length) = "";
    take_frame($board, $peer, $type, $content);
  }
}

sub speak_to {
  my ($board, $peer) = @_;
  my $frame = $peer->{queue}[0];
  my $count = syswrite($peer->{handle}, $frame, length($frame) - $peer->{sent}, $peer->{sent});
  return if !defined $count && ($!{EAGAIN} || $!{EINTR});
  return drop($board, $peer) unless defined $count;
  $peer->{sent} += $count;
  $peer->{size} -= $count;
  $peer->{moved} = seconds();
  return if $peer->{sent} < length($frame);
  $peer->{sent} = 0;
  shift @{ $peer->{queue} };
  drop($board, $peer) if $peer->{cut} && !@{ $peer->{queue} };
}

sub hear {
  my ($board, $source) = @_;
  my $count = sysread($source->{handle}, my $data, $frame_limit);
  return if !defined $count && ($!{EAGAIN} || $!{EINTR});
  # A terminal that nobody has open any more gives EIO.
  if (!$count) {
    $source->{over} = 1;
    return;
  }
  $source->{late} = $data;
  write_log($source);
  my $frame = frame($source->{type}, $data);
  for my $peer (grep { ($_->{role} || "") eq "reader" && !$_->{cut} } values %{ $board->{peers} }) {
    if ($peer->{size} > $reader_limit && !$board->{session}) { cut_off($peer) }
    else { give($peer, $frame) }
  }
}

# A file takes all of it; what a full disk does not take is lost. A program may be slow.
sub write_log {
  my ($source) = @_;
  while ($source->{late} ne "") {
    my $count = syswrite($source->{log}, $source->{late});
    next if !defined $count && $!{EINTR};
    return if !defined $count && $!{EAGAIN};
    if (defined $count) { substr($source->{late}, 0, $count) = "" }
    else { $source->{late} = "" }
  }
}

sub serve_streams {
  my ($board) = @_;
  my $peers = $board->{peers};
  my $alive = 1;
  $board->{held} = seconds() + $first_patience if $board->{session};
  while (1) {
    my ($timed, $full) = (0, 0);
    my $now = seconds();
    $board->{held} = 0 if $board->{held} && ($board->{held} < $now || (!$alive && !$board->{there}->()));
    for my $peer (my @all = values %$peers) {
      next unless @{ $peer->{queue} };
      my $patience = $alive ? $slow_patience : $last_patience;
      my $behind = $peer->{cut} || $peer->{size} > $reader_limit || !$alive;
      $timed ||= $behind;
      if ($behind && $peer->{moved} + $patience < $now) {
        if ($peer->{cut} || !$alive) { drop($board, $peer) }
        else { cut_off($peer) }
      } elsif ($board->{session} && $peer->{size} > $reader_limit && !$peer->{cut}) { $full = 1 }
    }
    if (!$alive && !grep { !$_->{over} || $_->{late} ne "" } @{ $board->{sources} }) {
      if ($board->{listener}) {
        close(delete $board->{listener});
        close_input($board);
        give($_, frame("E", "")) for grep { ($_->{role} || "") eq "reader" && !$_->{cut} } values %$peers;
      }
      return unless grep { @{ $_->{queue} } } values %$peers;
    }
    my ($read, $write) = ("", "");
    for my $number (keys %$peers) {
      my $peer = $peers->{$number};
      my $stuffed = $board->{writer} && $board->{writer} == $peer && length($board->{typed}) >= $input_limit;
      vec($read, $number, 1) = 1 unless $stuffed;
      vec($write, $number, 1) = 1 if @{ $peer->{queue} };
    }
    vec($read, fileno($board->{lifeline}), 1) = 1 if $alive;
    vec($read, fileno($board->{listener}), 1) = 1 if $board->{listener} && keys %$peers < $peer_limit;
    vec($write, fileno($board->{input}), 1) = 1 if $board->{input} && $board->{typed} ne "";
    for my $source (grep { !$_->{over} || $_->{late} ne "" } @{ $board->{sources} }) {
      if ($source->{late} ne "") { vec($write, fileno($source->{log}), 1) = 1 }
      elsif (!$board->{held} && !$full) { vec($read, fileno($source->{handle}), 1) = 1 }
    }
    my $count = select($read, $write, undef, $timed || $board->{held} || !$alive ? 0.25 : undef);
    next unless defined $count && $count > 0;
    if ($alive && vec($read, fileno($board->{lifeline}), 1)) {
      $alive = 0;
      close(delete $board->{slave}) if $board->{slave};
    }
    feed($board) if $board->{input} && vec($write, fileno($board->{input}), 1);
    for my $source (@{ $board->{sources} }) {
      if ($source->{late} ne "") { write_log($source) }
      elsif (!$source->{over} && vec($read, fileno($source->{handle}), 1)) { hear($board, $source) }
    }
    my @there = map { [$_, $peers->{$_}] } keys %$peers;
    if ($board->{listener} && vec($read, fileno($board->{listener}), 1) && accept(my $connection, $board->{listener})) {
      fcntl($connection, POSIX::F_SETFL(), POSIX::O_RDWR() | POSIX::O_NONBLOCK());
      $peers->{ fileno($connection) } = { handle => $connection, said => "", queue => [], size => 0, sent => 0, moved => $now };
    }
    for my $one (@there) {
      my ($number, $peer) = @$one;
      speak_to($board, $peer) if vec($write, $number, 1) && @{ $peer->{queue} };
      listen_to($board, $peer) if vec($read, $number, 1) && ($peers->{$number} || 0) == $peer;
    }
  }
}
`;
