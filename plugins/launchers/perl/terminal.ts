/**
 * The pseudo-terminals of containers. Part of the helper's program: see program.ts.
 */
export const TERMINAL = String.raw`
sub set_size {
  my ($terminal, $rows, $columns) = @_;
  # TIOCSWINSZ
  return ioctl($terminal, 0x5414, pack("S4", $rows, $columns, 0, 0));
}

# A pseudo-terminal: both its sides, and the path of the container's.
sub make_terminal {
  my ($rows, $columns) = @_;
  die "the terminals of machine type '$machine' are not known\n" if $machine =~ /^(ppc|mips|sparc|alpha|parisc)/;
  sysopen(my $master, "/dev/ptmx", POSIX::O_RDWR() | POSIX::O_NOCTTY()) or die "/dev/ptmx: $!\n";
  my ($unlocked, $number) = (pack("i", 0), pack("i", 0));
  # TIOCSPTLCK and TIOCGPTN
  ioctl($master, 0x40045431, $unlocked) && ioctl($master, 0x80045430, $number) or die "/dev/ptmx: $!\n";
  my $path = "/dev/pts/" . unpack("i", $number);
  sysopen(my $slave, $path, POSIX::O_RDWR() | POSIX::O_NOCTTY()) or die "$path: $!\n";
  set_size($master, $rows, $columns) or die "$path: $!\n" if $rows || $columns;
  return ($master, $slave, $path);
}

# The container's terminal becomes that of its session.
sub take_terminal {
  # TIOCSCTTY
  ioctl(STDIN, 0x540E, 0) or die "Failed to take the terminal: $!\n";
}
`;
