import { ENTER_SANDBOX } from "../../sdk/safe-files/index.js";

/**
 * Reads a stream of a container and writes it to a file of limited size. Started once a stream, it outlives the agent and ends
 * with the last process that holds the stream. In Perl, for a tenth of the memory that Node would take.
 *
 * Arguments: the file; its largest size in bytes; the user to be, or nothing for the agent's own; then either a number, of
 * rotated files to keep (`stdout.1` is the newest), or logrotate's path and its options for the file.
 *
 * The stream is read on whatever happens to the file: a task must not stop because its log cannot be written. What runs in the container
 * may do as it likes with the sandbox, and this program is none of the container's: it follows no link there and believes no file, so
 * what logrotate is told is kept elsewhere. Only core Perl is used (`perl-base` on Debian). Perl's own backquotes and dollar-brace may not be written in it.
 */
export const PERL_LOGGER = String.raw`${ENTER_SANDBOX}
use strict;
use warnings;
use POSIX ();
use Fcntl qw(O_WRONLY O_CREAT O_APPEND O_EXCL O_NONBLOCK O_NOFOLLOW F_SETFL);

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

my ($directory, $name) = $file =~ m{^(.+)/([^/]+)$};
my $inside = enter_sandbox($directory);

my $own = "/tmp/.tepui-logger-$$-" . join("", map { int(rand(10)) } 1 .. 16);
sub settings {
  mkdir($own, 0700) && sysopen(my $config, "$own/conf", O_WRONLY | O_CREAT | O_EXCL, 0600) or return 0;
  # It rotates files that are as large as that, and is called when the next chunk would make one too large.
  print $config "\"$file\" {\n$options\nsize " . ($max - $chunk) . "\n}\n";
  return close($config);
}
# Without it, one file is kept.
($logrotate, $keep) = (undef, 0) if defined $logrotate && !settings();
END { rmdir($own) if defined $logrotate && unlink("$own/conf", "$own/state") }

sub open_output {
  if ($inside && sysopen($output, $name, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOFOLLOW, 0644) && -f $output) {
    fcntl($output, F_SETFL, O_APPEND);
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
      exec { $logrotate } $logrotate, "--state", "$own/state", "$own/conf" or POSIX::_exit(127);
    }
    waitpid($child, 0) if defined $child;
  } elsif ($keep == 0) {
    unlink($name);
  } else {
    rename("$name." . ($_ - 1), "$name.$_") for reverse 2 .. $keep;
    rename($name, "$name.1");
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
