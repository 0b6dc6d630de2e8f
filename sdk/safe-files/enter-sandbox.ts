/**
 * Perl for programs that write to a sandbox and are none of its container's: `enter_sandbox(DIRECTORY)` goes there, and is true if it could.
 *
 * The sandbox of a container within another lies in that one's, whose processes may put links in the way at any time: from there on, no
 * link is followed.
 */
export const ENTER_SANDBOX = `
use Fcntl qw(O_DIRECTORY O_NOFOLLOW);

sub enter_sandbox {
  my ($directory) = @_;
  my @steps;
  unshift(@steps, "containers", $1) while $directory =~ s{/containers/([^/]+)$}{};
  chdir($directory) or return 0;
  for my $step (@steps) {
    # O_PATH: also where the user may enter and not read.
    my $next;
    sysopen($next, $step, 0x200000 | O_DIRECTORY | O_NOFOLLOW) && chdir($next) or return 0;
  }
  return 1;
}
`;
