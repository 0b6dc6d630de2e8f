/**
 * What a container sees as its files: mounts, device nodes, links, its root.
 *
 * Where something is to be is resolved by the kernel as a process would whose root the container's is already (openat2,
 * RESOLVE_IN_ROOT), and then used by descriptor: no symbolic link of an image or a sandbox leads out of it, whatever changes meanwhile.
 *
 * Part of the helper's program: see program.ts. In here, whatever fails dies with a text that names the step and the path.
 */
export const FILE_SYSTEM = String.raw`
my ($ms_rdonly, $ms_bind, $ms_rec, $ms_slave) = (1, 4096, 16384, 1 << 19);
my ($at_empty_path, $at_recursive) = (0x1000, 0x8000);

# A descriptor (O_PATH) of a path below a directory that stands for "/"; -1 when it fails.
sub below {
  my ($root, $path) = @_;
  # O_PATH and O_CLOEXEC; RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS.
  my $how = pack("QQQ", 0x280000, 0, 0x12);
  my $descriptor;
  # EAGAIN: something was renamed on the way.
  for (1 .. 100) {
    $descriptor = sys("openat2", $root, "$path", $how, length($how));
    last if $descriptor >= 0 || !$!{EAGAIN};
  }
  return $descriptor;
}

# Likewise of a host path, with all its links.
sub host_path {
  my ($path) = @_;
  return sys("openat2", -100, "$path", pack("QQQ", 0x280000, 0, 0), 24);
}

sub named { "/proc/self/fd/$_[0]" }

# Parent directory and last name.
sub split_path {
  my ($path) = @_;
  $path =~ s{/+$}{};
  return $path =~ m{^(.*)/([^/]*)$}s ? ($1 eq "" ? "/" : $1, $2) : ("/", $path);
}

# As "below"; what is missing is made, the last name as a directory or an empty file. Follows links that lead nowhere yet.
sub make_below {
  my ($root, $path, $kind, $links) = @_;
  my $descriptor = below($root, $path);
  return $descriptor if $descriptor >= 0 || !$!{ENOENT};
  my ($parent, $name) = split_path($path);
  my $directory = make_below($root, $parent, "directory", $links || 0);
  return -1 if $directory < 0;
  my $place = named($directory) . "/$name";
  my $link = readlink($place);
  if (defined $link) {
    POSIX::close($directory);
    if (($links || 0) > 40) {
      $! = POSIX::ELOOP();
      return -1;
    }
    return make_below($root, $link =~ m{^/} ? $link : "$parent/$link", $kind, ($links || 0) + 1);
  }
  my $made = $kind eq "directory"
    ? mkdir($place, 0755)
    : sysopen(my $file, $place, POSIX::O_CREAT() | POSIX::O_EXCL() | POSIX::O_WRONLY(), 0644);
  my $problem = $made || $!{EEXIST} ? 0 : $! + 0;
  POSIX::close($directory);
  if ($problem) {
    $! = $problem;
    return -1;
  }
  return below($root, $path);
}

# Sets and clears attributes of the mount that a descriptor names, and where asked of those below it.
sub set_attributes {
  my ($descriptor, $set, $clear, $recursive) = @_;
  my $attributes = pack("QQQQ", $set, $clear, 0, 0);
  my $flags = $at_empty_path | ($recursive ? $at_recursive : 0);
  return 1 if sys("mount_setattr", $descriptor, "", $flags, $attributes, length($attributes)) == 0;
  return 0 unless $!{ENOSYS};
  # Before Linux 5.12: this mount alone, with what it has already.
  my $status = "\0" x 256;
  # Not through "sys", which hands over copies.
  syscall($number{fstatfs}, $descriptor, $status) == 0 or return 0;
  my $old = (unpack("Q11", $status))[10];
  my $have = ($old & 15) | ($old & 1024 ? 0x10 : 0) | ($old & 2048 ? 0x80 : 0);
  $have = ($have & ~$clear) | $set;
  my $remount = ($have & 15) | ($have & 0x10 ? 1024 : 0) | ($have & 0x80 ? 2048 : 0);
  return sys("mount", undef, named($descriptor), undef, 32 | $ms_bind | $remount, undef) == 0;
}

# A mount below a root: source, target, type, flags, attributes to set and to clear, propagation, data, what to make.
sub mount_below {
  my ($root, $mount, $tree) = @_;
  my ($source, $target, $type, $flags, $set, $clear, $propagation, $data, $create) = @$mount;
  my $failed = sub { die "Failed to mount '$source' at '$target': $!\n" };
  my $place = $create ? make_below($root, $target, $create) : below($root, $target);
  $failed->() if $place < 0;
  my $result = defined $tree
    # MOVE_MOUNT_F_EMPTY_PATH and MOVE_MOUNT_T_EMPTY_PATH
    ? sys("move_mount", $tree, "", $place, "", 0x44)
    : sys("mount", "$source", named($place), $type eq "" ? undef : "$type", $flags + 0, $data eq "" ? undef : "$data");
  $failed->() if $result != 0;
  POSIX::close($place);
  return unless $set || $clear || $propagation;
  # Opened again: what is there now is the mount, and no longer what it hides.
  my $top = below($root, $target);
  $failed->() if $top < 0;
  if ($set || $clear) { set_attributes($top, $set, $clear, $flags & $ms_rec) or $failed->() }
  if ($propagation) { sys("mount", undef, named($top), undef, $propagation + 0, undef) == 0 or $failed->() }
  POSIX::close($top);
}

sub rows {
  my ($width, $list) = @_;
  my @all = @{ $list || [] };
  my @rows;
  push @rows, [splice(@all, 0, $width)] while @all;
  return @rows;
}

sub make_node {
  my ($root, $path, $type, $major, $minor, $mode) = @_;
  my $failed = sub { die "Failed to make the device '$path': $!\n" };
  my ($parent, $name) = split_path($path);
  my $directory = make_below($root, $parent, "directory");
  $failed->() if $directory < 0;
  my $place = named($directory) . "/$name";
  my $device = (($major & 0xfff) << 8) | ($minor & 0xff) | (($minor & ~0xff) << 12) | (($major & ~0xfff) << 32);
  my $format = $type eq "b" ? 0060000 : 0020000;
  unlink($place);
  if (sys("mknodat", -100, $place, $format | $mode, $device) == 0) {
    # Whatever the umask.
    my $node = below($root, $path);
    $failed->() if $node < 0;
    chmod($mode, named($node)) or $failed->();
    POSIX::close($node);
  } else {
    # Not allowed to make nodes: the host's own, where it has one.
    $failed->() unless $!{EPERM};
    sysopen(my $file, $place, POSIX::O_CREAT() | POSIX::O_EXCL() | POSIX::O_WRONLY(), 0644) or $failed->();
    close($file);
    mount_below($root, [$path, $path, "", $ms_bind, 0, 0, 0, "", ""]);
  }
  POSIX::close($directory);
}

sub make_link {
  my ($root, $path, $to) = @_;
  my ($parent, $name) = split_path($path);
  my $directory = make_below($root, $parent, "directory");
  my $place = named($directory) . "/$name";
  unlink($place);
  $directory >= 0 && symlink($to, $place) or die "Failed to make the link '$path': $!\n";
  POSIX::close($directory);
}

# Masks a path, or makes it read-only; what does not exist needs neither.
sub protect {
  my ($root, $path, $mask) = @_;
  my $place = below($root, $path);
  return if $place < 0 && ($!{ENOENT} || $!{ENOTDIR});
  my $failed = sub { die "Failed to " . ($mask ? "mask '$path'" : "make '$path' read-only") . ": $!\n" };
  $failed->() if $place < 0;
  my $name = named($place);
  if (!$mask) {
    sys("mount", $name, $name, undef, $ms_bind | $ms_rec, undef) == 0 or $failed->();
    my $top = below($root, $path);
    set_attributes($top, $ms_rdonly, 0, 1) or $failed->();
    POSIX::close($top);
  } elsif (-d $name) {
    sys("mount", "tmpfs", $name, "tmpfs", 15, "mode=0555") == 0 or $failed->();
  } else {
    sys("mount", "/dev/null", $name, undef, $ms_bind, undef) == 0 or $failed->();
  }
  POSIX::close($place);
}

# All of it, in a mount namespace of the container's own.
sub arrange_files {
  my ($request) = @_;
  my @mounts = rows(10, $request->{mounts});
  # What shares its mounts with the host is taken before the rest stops doing so.
  my @trees = map { taken_tree($_) } @mounts;
  sys("mount", undef, "/", undef, $ms_rec | $ms_slave, undef) == 0
    or die "Failed to keep the container's mounts from the host: $!\n";
  my $rootfs = $request->{rootfs};
  my $root = host_path("/");
  if (defined $rootfs) {
    mount_root($rootfs, $_) for rows(10, $request->{root_mounts});
    sys("mount", "$rootfs", "$rootfs", undef, $ms_bind | $ms_rec, undef) == 0
      or die "Failed to mount '$rootfs' at '$rootfs': $!\n";
    POSIX::close($root);
    $root = host_path($rootfs);
  }
  $root >= 0 or die "Failed to open '" . (defined $rootfs ? $rootfs : "/") . "': $!\n";
  my $sandbox = host_path($request->{sandbox});
  $sandbox >= 0 or die "Failed to open '$request->{sandbox}': $!\n";
  for my $mount (@mounts) {
    my $tree = shift @trees;
    # Targets that are relative lie below the sandbox.
    mount_below($mount->[1] =~ m{^/} ? $root : $sandbox, $mount, $tree);
    POSIX::close($tree) if defined $tree;
  }
  if (defined $rootfs && $request->{terminal}) {
    mount_below($root, [$request->{terminal_path}, "/dev/console", "", $ms_bind, 0, 0, 0, "", "file"]);
  }
  make_node($root, @$_) for rows(5, $request->{nodes});
  make_link($root, @$_) for rows(2, $request->{links});
  protect($root, $_, 0) for @{ $request->{readonly} || [] };
  protect($root, $_, 1) for @{ $request->{masked} || [] };
  POSIX::close($sandbox);
  if (!defined $rootfs) {
    POSIX::close($root);
    return;
  }
  my $directory = $request->{directory};
  my $made = make_below($root, $directory, "directory");
  $made >= 0 or die "Failed to make the directory '$directory': $!\n";
  POSIX::close($made);
  change_root($root, $rootfs);
}

sub mount_root {
  my ($rootfs, $mount) = @_;
  my @fields = @$mount;
  my $inside = index($fields[1], "$rootfs/") == 0;
  my $root = host_path($inside ? $rootfs : "/");
  $fields[1] = substr($fields[1], length($rootfs)) if $inside;
  $root >= 0 or die "Failed to open '$rootfs': $!\n";
  mount_below($root, \@fields);
  POSIX::close($root);
}

# What lies in another mount namespace, as a copy.
sub foreign_tree {
  my ($source, $target, $flags, $from) = @{ $_[0] }[0, 1, 3, 9];
  my ($own, $there, $tree) = (undef, undef, -1);
  open($own, "<", "/proc/self/ns/mnt") or die "Failed to open /proc/self/ns/mnt: $!\n";
  my $failed = sub { die "Failed to mount '$source' of '$from' at '$target': $!\n" };
  open($there, "<", $from) && sys("setns", fileno($there), 0x20000) == 0 or $failed->();
  # O_PATH and O_CLOEXEC; RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS.
  my $place = sys("openat2", -100, "$source", pack("QQQ", 0x280000, 0, 0x6), 24);
  $tree = sys("open_tree", $place, "", 0x80001 | $at_empty_path | ($flags & $ms_rec ? $at_recursive : 0)) if $place >= 0;
  my $problem = $! + 0;
  sys("setns", fileno($own), 0x20000) == 0 or die "Failed to return from the mount namespace '$from': $!\n";
  if ($tree < 0) {
    $! = $problem;
    $failed->();
  }
  POSIX::close($place);
  return $tree;
}

# A bind mount that is to be shared: as a copy that goes on sharing with its source.
sub taken_tree {
  my ($source, $target, $type, $flags, $propagation) = @{ $_[0] }[0, 1, 2, 3, 6];
  return foreign_tree($_[0]) if $_[0][9] ne "";
  return undef unless $type eq "" && $propagation & (1 << 20);
  # OPEN_TREE_CLONE and OPEN_TREE_CLOEXEC
  my $tree = sys("open_tree", -100, "$source", 0x80001 | ($flags & $ms_rec ? $at_recursive : 0));
  $tree >= 0 or die "Failed to mount '$source' at '$target': $!\n";
  return $tree;
}

sub change_root {
  my ($root, $rootfs) = @_;
  my $failed = sub { die "Failed to make '$rootfs' the root directory: $!\n" };
  chdir(named($root)) or $failed->();
  # The old root ends up on top of the new one, from where it is taken away.
  sys("pivot_root", ".", ".") == 0 or $failed->();
  sys("umount2", ".", 2) == 0 or $failed->();
  chdir("/") or $failed->();
  POSIX::close($root);
}
`;
