/**
 * Mounts a directory of the host into a running container, or takes it out again. Perl, because the system calls have no tool:
 * a mount of the host is cloned, unattached to any namespace, and attached in the container's, so the host's own tree never has it.
 *
 * Arguments: `add` or `remove`, the container's pid, a directory as the container sees it, the place below it, numbers of the
 * system calls setns and umount2, and, to add, the source and `ro` or `rw`. The steps of the place are never taken through a symbolic
 * link: the container may write there. Ends with a status other than 0 and one line on stderr when something fails.
 */
export const LIVE_MOUNT_SCRIPT = String.raw`
use strict;
use Fcntl;
my ($act, $pid, $directory, $place, $setns, $umount2, $source, $mode) = @ARGV;
my ($O_PATH, $O_DIRECTORY, $O_NOFOLLOW) = (0x200000, O_DIRECTORY, O_NOFOLLOW);
sub fail { die "$_[0]: $!\n" }

my $tree;
if ($act eq 'add') {
  # open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)
  $tree = syscall(428, -100, $source, 0x80001);
  $tree >= 0 or fail("cannot take $source");
  # mount_setattr(tree, "", AT_EMPTY_PATH, { attr_set = MOUNT_ATTR_RDONLY })
  if ($mode eq 'ro') {
    my $attributes = pack('QQQQ', 1, 0, 0, 0);
    syscall(442, $tree, my $empty = '', 0x1000, $attributes, length $attributes) == 0 or fail('cannot make it read-only');
  }
}
sysopen(my $namespace, "/proc/$pid/ns/mnt", O_RDONLY) or fail('the container is gone');
sysopen(my $root, "/proc/$pid/root", $O_PATH | $O_DIRECTORY) or fail('the container is gone');
syscall($setns, fileno $namespace, 0x20000) == 0 or fail('cannot enter the container');
chdir($root) && chroot('.') && chdir($directory) or fail("cannot enter $directory");

my @steps = split m{/}, $place;
my $last = pop @steps;
sub enter {
  my ($step, $make) = @_;
  mkdir($step, 0755) or $!{EEXIST} or fail("cannot make $place") if $make;
  sysopen(my $next, $step, $O_PATH | $O_DIRECTORY | $O_NOFOLLOW) or fail("cannot enter $place");
  chdir($next) or fail("cannot enter $place");
}
if ($act eq 'add') {
  enter($_, 1) for @steps, $last;
  # move_mount(tree, "", AT_FDCWD, ".", MOVE_MOUNT_F_EMPTY_PATH)
  syscall(429, $tree, my $empty = '', -100, my $here = '.', 4) == 0 or fail("cannot mount at $place");
} else {
  enter($_, 0) for @steps;
  # umount2(place, MNT_DETACH | UMOUNT_NOFOLLOW); EINVAL: it is not mounted
  syscall($umount2, $last, 10) == 0 or $!{EINVAL} or $!{ENOENT} or fail("cannot unmount $place");
  rmdir($last) or $!{ENOENT} or $!{ENOTEMPTY} or $!{ENOTDIR} or fail("cannot remove $place");
}
`;
