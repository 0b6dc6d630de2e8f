/**
 * What a container's command may do: limits, capabilities, user, system calls. Part of the helper's program: see program.ts.
 * In here, whatever fails dies with a text that names the step.
 */
export const PRIVILEGES = String.raw`
my ($set_keepcaps, $set_seccomp, $capbset_read, $capbset_drop, $set_no_new_privs, $cap_ambient) = (8, 22, 23, 24, 38, 47);
my $cap_sys_admin = 1 << 21;

sub prctl { sys("prctl", @_, (0) x (5 - @_)) }

sub limit_resources {
  my ($request) = @_;
  for my $row (rows(4, $request->{limits})) {
    my ($name, $number, $soft, $hard) = @$row;
    my $limit = pack("QQ", map { $_ eq "" ? ~0 : $_ } $soft, $hard);
    sys("prlimit64", 0, $number + 0, $limit, undef) == 0 or die "Failed to set the limit '$name': $!\n";
  }
}

sub drop_bounding {
  my ($mask) = @_;
  for my $capability (0 .. 63) {
    next if $mask & (1 << $capability);
    my $held = prctl($capbset_read, $capability);
    # No more of them.
    last if $held < 0;
    $held == 0 || prctl($capbset_drop, $capability) == 0 or die "Failed to drop capability $capability: $!\n";
  }
}

sub set_capabilities {
  my ($effective, $permitted, $inheritable) = @_;
  my $header = pack("LL", 0x20080522, 0);
  my @sets = ($effective, $permitted, $inheritable);
  my $data = pack("L6", (map { $_ & 0xffffffff } @sets), (map { $_ >> 32 } @sets));
  sys("capset", $header, $data) == 0 or die "Failed to set the capabilities: $!\n";
}

sub filter_system_calls {
  my ($filter) = @_;
  my $program = pack("S x![P] P", length($filter) / 8, $filter);
  prctl($set_seccomp, 2, $program) == 0 or die "Failed to install the seccomp filter: $!\n";
}

sub become_user {
  my ($request) = @_;
  my ($uid, $gid, $groups) = @{ $request->{account} }[1, 2, 3];
  $) = "$gid $groups";
  POSIX::setgid($gid) && POSIX::setuid($uid) or die "Failed to become user '$request->{user}': $!\n";
  die "Failed to become user '$request->{user}'\n" if $> != $uid || $< != $uid;
}

# Up to the point where the command is all that is missing. What is between is what the user does before the command.
sub give_up_privileges {
  my ($request, $between) = @_;
  limit_resources($request);
  drop_bounding($request->{bounding}) if defined $request->{bounding};
  my ($effective, $unprivileged) = ($request->{effective}, $request->{no_new_privileges});
  my $filter = defined $request->{filter} ? pack("H*", $request->{filter}) : undef;
  my $leaves_root = $request->{account} && $request->{account}[1] != 0;
  # Without no_new_privs a filter takes a capability that a user would have lost.
  my $keep = $leaves_root && (defined $effective || (defined $filter && !$unprivileged));
  !$keep || prctl($set_keepcaps, 1) == 0 or die "Failed to keep the capabilities: $!\n";
  become_user($request) if $request->{account};
  $between->();
  if ($unprivileged) { prctl($set_no_new_privs, 1) == 0 or die "Failed to set no_new_privs: $!\n" }
  my $given = defined $effective ? $effective : 0;
  if (defined $filter && !$unprivileged) {
    set_capabilities($cap_sys_admin, $cap_sys_admin | $given, $given) if $keep;
    filter_system_calls($filter);
  }
  if ($keep || defined $effective) {
    set_capabilities($given, $given, $given);
    for my $capability (grep { $given & (1 << $_) } 0 .. 63) {
      # PR_CAP_AMBIENT_RAISE
      prctl($cap_ambient, 2, $capability) == 0 or die "Failed to keep capability $capability: $!\n";
    }
  }
  filter_system_calls($filter) if defined $filter && $unprivileged;
}
`;
