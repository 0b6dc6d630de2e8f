/** The parts of the Docker engine's API (1.24 and later) that are used here, in its own names. */

export interface PortBinding {
  HostIp?: string;
  HostPort: string;
}

export interface DeviceMapping {
  PathOnHost: string;
  PathInContainer: string;
  CgroupPermissions: string;
}

export interface Ulimit {
  Name: string;
  Soft: number;
  Hard: number;
}

export interface Mount {
  Type: "bind" | "volume" | "tmpfs";
  Source?: string;
  Target: string;
  ReadOnly?: boolean;
  BindOptions?: { Propagation?: string };
  VolumeOptions?: {
    NoCopy?: boolean;
    DriverConfig?: { Name?: string; Options?: Record<string, string> };
  };
  TmpfsOptions?: { SizeBytes?: number; Mode?: number };
}

export interface DeviceRequest {
  Driver?: string;
  Count?: number;
  DeviceIDs?: string[];
  Capabilities: string[][];
}

/** What a running container can be given more or less of. */
export interface ResourceSettings {
  CpuShares?: number;
  CpuPeriod?: number;
  CpuQuota?: number;
  Memory?: number;
  MemoryReservation?: number;
  MemorySwap?: number;
}

/** Absent lists are empty ones. */
export interface HostSettings extends ResourceSettings {
  Binds: string[];
  Mounts: Mount[];
  PortBindings: Record<string, PortBinding[]>;
  NetworkMode: string;
  VolumeDriver?: string;
  VolumesFrom?: string[];
  CapAdd?: string[];
  CapDrop?: string[];
  CgroupnsMode?: string;
  CgroupParent?: string;
  Dns?: string[];
  DnsOptions?: string[];
  DnsSearch?: string[];
  ExtraHosts?: string[];
  GroupAdd?: string[];
  IpcMode?: string;
  Links?: string[];
  LogConfig?: { Type: string; Config: Record<string, string> };
  OomScoreAdj?: number;
  OomKillDisable?: boolean;
  PidMode?: string;
  PidsLimit?: number;
  Privileged?: boolean;
  PublishAllPorts?: boolean;
  ReadonlyRootfs?: boolean;
  Runtime?: string;
  SecurityOpt?: string[];
  ShmSize?: number;
  StorageOpt?: Record<string, string>;
  Sysctls?: Record<string, string>;
  Tmpfs?: Record<string, string>;
  UTSMode?: string;
  UsernsMode?: string;
  Ulimits?: Ulimit[];
  Init?: boolean;
  BlkioWeight?: number;
  BlkioWeightDevice?: { Path: string; Weight: number }[];
  BlkioDeviceReadBps?: { Path: string; Rate: number }[];
  BlkioDeviceWriteBps?: { Path: string; Rate: number }[];
  BlkioDeviceReadIOps?: { Path: string; Rate: number }[];
  BlkioDeviceWriteIOps?: { Path: string; Rate: number }[];
  CpusetCpus?: string;
  CpusetMems?: string;
  CpuRealtimePeriod?: number;
  CpuRealtimeRuntime?: number;
  NanoCpus?: number;
  MemorySwappiness?: number;
  KernelMemory?: number;
  Devices?: DeviceMapping[];
  DeviceCgroupRules?: string[];
  DeviceRequests?: DeviceRequest[];
}

export interface HealthSettings {
  Test?: string[];
  /** Nanoseconds, as all times here. */
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  Retries?: number;
}

export interface EndpointSettings {
  Aliases?: string[];
  IPAMConfig?: { IPv4Address?: string; IPv6Address?: string; LinkLocalIPs?: string[] };
}

/** Body of `POST /containers/create`. */
export interface CreateBody {
  Image: string;
  Cmd?: string[];
  /** The image's own, where absent; none, where it is `[""]`. */
  Entrypoint?: string[];
  Env: string[];
  Labels: Record<string, string>;
  Hostname?: string;
  Domainname?: string;
  User?: string;
  WorkingDir?: string;
  MacAddress?: string;
  StopSignal?: string;
  StopTimeout?: number;
  Tty?: boolean;
  OpenStdin?: boolean;
  ExposedPorts: Record<string, Record<string, never>>;
  Healthcheck?: HealthSettings;
  HostConfig: HostSettings;
  NetworkingConfig?: { EndpointsConfig: Record<string, EndpointSettings> };
}
