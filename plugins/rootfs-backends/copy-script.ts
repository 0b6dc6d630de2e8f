/**
 * Copies one layer over what the layers below it have made, as overlayfs would show it: `perl -e SCRIPT number layer rootfs`, where the
 * number is that of lgetxattr(2).
 *
 * First everything goes from the copy that the layer removes (character devices 0/0, opaque directories), and what is of another kind
 * than in the layer: cp must find directories where it is to make directories and nothing where it is to make anything else, for
 * it would write through a symbolic link and change all names of a file. Then cp, then the marks go from the copy.
 */
export const COPY_SCRIPT = String.raw`
use strict;
use warnings;
my ($lgetxattr, $layer, $rootfs) = @ARGV;
my @marks;
sub is_opaque {
  my ($path) = @_;
  my $name = "trusted.overlay.opaque";
  my $value = "\0" x 16;
  my $length = syscall($lgetxattr, $path, $name, $value, 16);
  return $length > 0 && substr($value, 0, 1) eq "y";
}
sub remove {
  my ($path) = @_;
  system("rm", "-rf", "--", $path) == 0 or die "cannot remove '$path'\n";
}
my @queue = ("");
while (defined(my $at = shift @queue)) {
  opendir(my $handle, "$layer$at") or die "cannot read '$layer$at': $!\n";
  my @names = grep { $_ ne "." && $_ ne ".." } readdir $handle;
  closedir $handle;
  for my $name (@names) {
    my $path = "$at/$name";
    my @source = lstat("$layer$path") or die "cannot read '$layer$path': $!\n";
    my ($mode, $device) = @source[2, 6];
    my $kind = $mode & 0170000;
    my $is_directory = $kind == 0040000;
    push @queue, $path if $is_directory;
    my @target = lstat("$rootfs$path");
    if ($kind == 0020000 && $device == 0) {
      push @marks, "$rootfs$path";
      remove("$rootfs$path") if @target;
      next;
    }
    my $opaque = $is_directory && is_opaque("$layer$path");
    next unless @target;
    my $was_directory = ($target[2] & 0170000) == 0040000;
    next if $is_directory && $was_directory && !$opaque;
    if ($was_directory) { remove("$rootfs$path") }
    else { unlink("$rootfs$path") or die "cannot remove '$rootfs$path': $!\n" }
  }
}
system("cp", "--archive", "--no-target-directory", "--", $layer, $rootfs) == 0 or die "cp failed\n";
for my $mark (@marks) {
  my ($directory) = $mark =~ m{^(.*)/}s;
  my ($accessed, $changed) = (stat($directory))[8, 9];
  unlink($mark) or die "cannot remove '$mark': $!\n";
  # To the second: what was removed changes no time of an image.
  utime($accessed, $changed, $directory);
}
`;

/** lgetxattr(2) by Node's name of the processor. */
export const LGETXATTR: Readonly<Record<string, number>> = {
  arm: 230,
  arm64: 9,
  ia32: 230,
  loong64: 9,
  ppc64: 213,
  riscv64: 9,
  s390x: 228,
  x64: 192,
};
