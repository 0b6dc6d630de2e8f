/** What every part of the helper's program uses. Part of that program: see program.ts. */
export const BASICS = String.raw`
use strict;
use warnings;
use POSIX ();
use Fcntl qw(O_WRONLY O_APPEND O_CREAT O_NONBLOCK O_NOFOLLOW O_DIRECTORY F_SETFL);

$0 = "tepui-launcher";
$SIG{PIPE} = $SIG{INT} = $SIG{TERM} = $SIG{HUP} = "IGNORE";

# Files that the agent inherited from whoever started it are not for tasks, which may outlive both.
if (opendir(my $own, "/proc/self/fd")) {
  my @inherited = grep { /^\d+$/ && $_ > 2 && $_ != fileno($own) } readdir($own);
  closedir($own);
  POSIX::close($_) for @inherited;
}

# One line, whatever a container put into its words: those after a newline would be taken for what this program says.
sub line {
  my $line = join(" ", @_);
  $line =~ tr/\n/ /;
  return "$line\n";
}

sub say_to_agent { syswrite(STDOUT, line(@_)) }

# One line at a time, each with one write: a reader sees whole lines.
sub record {
  my ($path, @words) = @_;
  open(my $file, ">>", $path) or return;
  syswrite($file, line(@words));
}

# State and start time of a process, as proc(5) has them; nothing where there is none.
sub stat_of {
  my ($pid) = @_;
  open(my $file, "<", "/proc/$pid/stat") or return;
  my $stat = <$file>;
  return unless defined $stat;
  $stat =~ s/^.*\) //s;
  return (split(/ /, $stat))[0, 19];
}

# Start time in clock ticks: with the pid it names one process for good.
sub start_of { (stat_of(@_))[1] // 0 }

my $agent = getppid();
my $agent_start = start_of($agent);

# Whether the agent is dead, be it that its parent does not know yet. The next one believes that nothing begins any more.
sub agent_is_gone {
  my ($state, $start) = stat_of($agent);
  return !defined $start || $start != $agent_start || $state =~ /[ZX]/;
}

my %users;

# uid, gid and supplementary groups of a user name or number.
sub user_of {
  my ($name) = @_;
  my $known = $users{$name};
  return $known if $known && abs(time() - $known->[0]) < 60;
  my ($login, $uid, $gid) = ($name =~ /^\d+$/ ? getpwuid($name) : getpwnam($name))[0, 2, 3];
  return undef unless defined $login;
  my @groups = ($gid);
  setgrent();
  while (my ($group, $password, $id, $members) = getgrent()) {
    push @groups, $id if $id != $gid && grep { $_ eq $login } split(/ /, $members);
  }
  endgrent();
  return $users{$name} = [time(), $uid, $gid, "@groups"];
}

# The kernel lists the children of each thread (CONFIG_PROC_CHILDREN): what a tree costs then does not depend on what else there is.
my $children_are_listed = -e "/proc/$$/task/$$/children";

# Processes below this one, some of which may have ended. Those that lose their parent meanwhile may be missing, as may those that are
# just being made, but no child of this process: they come and go by it alone.
sub descendants {
  return descendants_of_all() unless $children_are_listed;
  my @found;
  my @queue = ($$);
  while (defined(my $pid = shift @queue)) {
    push @found, $pid unless $pid == $$;
    opendir(my $threads, "/proc/$pid/task") or next;
    for my $thread (grep { /^\d+$/ } readdir($threads)) {
      open(my $file, "<", "/proc/$pid/task/$thread/children") or next;
      push @queue, split(/ /, <$file> // "");
    }
  }
  return @found;
}

# The same by looking at everything that runs.
sub descendants_of_all {
  my (%children, @found);
  opendir(my $proc, "/proc") or return ();
  for my $pid (grep { /^\d+$/ } readdir($proc)) {
    open(my $file, "<", "/proc/$pid/stat") or next;
    my $stat = <$file>;
    next unless defined $stat;
    $stat =~ s/^.*\) //s;
    my ($state, $parent) = split(/ /, $stat);
    push @{ $children{$parent} }, [$pid, $state];
  }
  my @queue = ($$);
  while (defined(my $pid = shift @queue)) {
    for my $child (@{ $children{$pid} || [] }) {
      push @queue, $child->[0];
      push @found, $child->[0] unless $child->[1] eq "Z" || $child->[1] eq "X";
    }
  }
  return @found;
}

# Whether a process has children.
sub has_children { waitpid(-1, POSIX::WNOHANG()) >= 0 }

# What is read up to the end of the stream.
sub read_all {
  my ($stream) = @_;
  my $text = "";
  while (1) {
    my $count = sysread($stream, $text, 4096, length($text));
    next if !defined $count && $!{EINTR};
    return $text unless $count;
  }
}
`;
