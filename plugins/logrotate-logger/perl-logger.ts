/**
 * Reads a stream of a container and writes it to a file of limited size. Started once a stream, it outlives the agent and ends
 * with the last process that holds the stream. In Perl, for a tenth of the memory that Node would take.
 *
 * Arguments: the file; its largest size in bytes; the user to be, or nothing for the agent's own; then either a number, of
 * rotated files to keep (`stdout.1` is the newest), or logrotate's path and its options for the file.
 *
 * The stream is read on whatever happens to the file: a task must not stop because its log cannot be written. Only core Perl
 * is used (`perl-base` on Debian). Neither backquotes nor dollar-brace may be written in it.
 */
export const PERL_LOGGER = String.raw`
use strict;
use warnings;
use POSIX ();
use Fcntl qw(O_WRONLY O_CREAT O_APPEND);

my ($file, $max, $user, $keep, $options) = @ARGV;
$0 = "tepui-logger $file";
$SIG{$_} = "IGNORE" for qw(PIPE INT TERM HUP);
POSIX::setsid();

if ($user ne "") {
  my ($name, $uid, $gid) = ($user =~ /^\d+$/ ? getpwuid($user) : getpwnam($user))[0, 2, 3];
  die "the user '$user' does not exist\n" unless defined $name;
  $) = "$gid $gid";
  POSIX::setgid($gid) or die "cannot become the user '$user': $!\n";
  POSIX::setuid($uid) or die "cannot become the user '$user': $!\n";
}
umask(0022);

my $logrotate = $keep =~ /^\d+$/ ? undef : $keep;
# What is read at once fits into an empty file.
my $chunk = $max < 65536 ? $max : 65536;
my ($output, $written) = (undef, 0);

if (defined $logrotate && open(my $config, ">", "$file.logrotate.conf")) {
  # It rotates files that are as large as that, and is called when the next chunk would make one too large.
  print $config "\"$file\" {\n$options\nsize " . ($max - $chunk) . "\n}\n";
  close($config);
}

sub open_output {
  if (sysopen($output, $file, O_WRONLY | O_CREAT | O_APPEND, 0644)) {
    $written = (-s $output) || 0;
  } else {
    $output = undef;
  }
}

sub rotate {
  close($output) if defined $output;
  if (defined $logrotate) {
    my $child = fork();
    if (defined $child && $child == 0) {
      open(STDIN, "<", "/dev/null");
      exec { $logrotate } $logrotate, "--state", "$file.logrotate.state", "$file.logrotate.conf" or POSIX::_exit(127);
    }
    waitpid($child, 0) if defined $child;
  } elsif ($keep == 0) {
    unlink($file);
  } else {
    rename("$file." . ($_ - 1), "$file.$_") for reverse 2 .. $keep;
    rename($file, "$file.1");
  }
  open_output();
  # Where it was not rotated after all, this is not tried at every chunk.
  $written = 0;
}

open_output();
for (;;) {
  my $read = sysread(STDIN, my $data, $chunk);
  next if !defined $read && $!{EINTR};
  last unless $read;
  rotate() if $written + $read > $max;
  open_output() unless defined $output;
  next unless defined $output;
  my $at = 0;
  while ($at < $read) {
    my $wrote = syswrite($output, $data, $read - $at, $at);
    last unless defined $wrote;
    $at += $wrote;
  }
  $written += $read;
}
`;
