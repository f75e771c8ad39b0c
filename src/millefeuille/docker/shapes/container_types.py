"""The Go types that an inspected container is made of: their fields, in order.

A field is `Name:type`, or `Name=JsonName:type` where its JSON name is another; `?` after the type says that
JSON leaves the field out when it is empty. Types are Go's; those of text by another name are `string`.

Source: moby v28.2.2, api/types/container, network, mount and blkiodev; docker-image-spec v1.3.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Final
from millefeuille.values import dataclass

CONTAINER: Final = "container.InspectResponse"
_TYPES: Final[Mapping[str, str]] = {
    CONTAINER: """
        ID=Id:string Created:string Path:string Args:[]string State:*container.State Image:string
        ResolvConfPath:string HostnamePath:string HostsPath:string LogPath:string Name:string
        RestartCount:int Driver:string Platform:string MountLabel:string ProcessLabel:string
        AppArmorProfile:string ExecIDs:[]string HostConfig:*container.HostConfig
        GraphDriver:storage.DriverData SizeRw:*int64? SizeRootFs:*int64? Mounts:[]container.MountPoint
        Config:*container.Config NetworkSettings:*container.NetworkSettings
        ImageManifestDescriptor:*v1.Descriptor?""",
    "container.State": """
        Status:string Running:bool Paused:bool Restarting:bool OOMKilled:bool Dead:bool Pid:int ExitCode:int
        Error:string StartedAt:string FinishedAt:string Health:*container.Health?""",
    "container.Health": "Status:string FailingStreak:int Log:[]*container.HealthcheckResult",
    "container.HealthcheckResult": "Start:time.Time End:time.Time ExitCode:int Output:string",
    "storage.DriverData": "Data:map[string]string Name:string",
    "container.MountPoint": """
        Type:string? Name:string? Source:string Destination:string Driver:string? Mode:string RW:bool
        Propagation:string""",
    "container.Config": """
        Hostname:string Domainname:string User:string AttachStdin:bool AttachStdout:bool AttachStderr:bool
        ExposedPorts:map[string]struct{}? Tty:bool OpenStdin:bool StdinOnce:bool Env:[]string Cmd:[]string
        Healthcheck:*v1.HealthcheckConfig? ArgsEscaped:bool? Image:string Volumes:map[string]struct{}
        WorkingDir:string Entrypoint:[]string NetworkDisabled:bool? MacAddress:string? OnBuild:[]string
        Labels:map[string]string StopSignal:string? StopTimeout:*int? Shell:[]string?""",
    "v1.HealthcheckConfig": """
        Test:[]string? Interval:time.Duration? Timeout:time.Duration? StartPeriod:time.Duration?
        StartInterval:time.Duration? Retries:int?""",
    # The fields of container.Resources, which is embedded, stand among the others.
    "container.HostConfig": """
        Binds:[]string ContainerIDFile:string LogConfig:container.LogConfig NetworkMode:string
        PortBindings:map[string][]nat.PortBinding RestartPolicy:container.RestartPolicy AutoRemove:bool
        VolumeDriver:string VolumesFrom:[]string ConsoleSize:[]uint Annotations:map[string]string?
        CapAdd:[]string CapDrop:[]string CgroupnsMode:string DNS=Dns:[]string DNSOptions=DnsOptions:[]string
        DNSSearch=DnsSearch:[]string ExtraHosts:[]string GroupAdd:[]string IpcMode:string Cgroup:string
        Links:[]string OomScoreAdj:int PidMode:string Privileged:bool PublishAllPorts:bool
        ReadonlyRootfs:bool SecurityOpt:[]string StorageOpt:map[string]string? Tmpfs:map[string]string?
        UTSMode:string UsernsMode:string ShmSize:int64 Sysctls:map[string]string? Runtime:string?
        Isolation:string CPUShares=CpuShares:int64 Memory:int64 NanoCPUs=NanoCpus:int64 CgroupParent:string
        BlkioWeight:uint BlkioWeightDevice:[]blkiodev.WeightDevice
        BlkioDeviceReadBps:[]blkiodev.ThrottleDevice BlkioDeviceWriteBps:[]blkiodev.ThrottleDevice
        BlkioDeviceReadIOps:[]blkiodev.ThrottleDevice BlkioDeviceWriteIOps:[]blkiodev.ThrottleDevice
        CPUPeriod=CpuPeriod:int64 CPUQuota=CpuQuota:int64 CPURealtimePeriod=CpuRealtimePeriod:int64
        CPURealtimeRuntime=CpuRealtimeRuntime:int64 CpusetCpus:string CpusetMems:string
        Devices:[]container.DeviceMapping DeviceCgroupRules:[]string DeviceRequests:[]container.DeviceRequest
        KernelMemory:int64? KernelMemoryTCP:int64? MemoryReservation:int64 MemorySwap:int64
        MemorySwappiness:*int64 OomKillDisable:*bool PidsLimit:*int64 Ulimits:[]units.Ulimit
        CPUCount=CpuCount:int64 CPUPercent=CpuPercent:int64 IOMaximumIOps:uint IOMaximumBandwidth:uint
        Mounts:[]mount.Mount? MaskedPaths:[]string ReadonlyPaths:[]string Init:*bool?""",
    "container.LogConfig": "Type:string Config:map[string]string",
    "container.RestartPolicy": "Name:string MaximumRetryCount:int",
    "container.DeviceMapping": "PathOnHost:string PathInContainer:string CgroupPermissions:string",
    "container.DeviceRequest": """
        Driver:string Count:int DeviceIDs:[]string Capabilities:[][]string Options:map[string]string""",
    "blkiodev.WeightDevice": "Path:string Weight:uint",
    "blkiodev.ThrottleDevice": "Path:string Rate:uint",
    "units.Ulimit": "Name:string Hard:int64 Soft:int64",
    "nat.PortBinding": "HostIP=HostIp:string HostPort:string",
    "mount.Mount": """
        Type:string? Source:string? Target:string? ReadOnly:bool? Consistency:string?
        BindOptions:*mount.BindOptions? VolumeOptions:*mount.VolumeOptions? ImageOptions:*mount.ImageOptions?
        TmpfsOptions:*mount.TmpfsOptions? ClusterOptions:*mount.ClusterOptions?""",
    "mount.BindOptions": """
        Propagation:string? NonRecursive:bool? CreateMountpoint:bool? ReadOnlyNonRecursive:bool?
        ReadOnlyForceRecursive:bool?""",
    "mount.VolumeOptions": """
        NoCopy:bool? Labels:map[string]string? Subpath:string? DriverConfig:*mount.Driver?""",
    "mount.Driver": "Name:string? Options:map[string]string?",
    "mount.ImageOptions": "Subpath:string?",
    "mount.TmpfsOptions": "SizeBytes:int64? Mode:fs.FileMode? Options:[][]string?",
    "mount.ClusterOptions": "",
    "container.NetworkSettings": """
        Bridge:string SandboxID:string SandboxKey:string Ports:map[string][]nat.PortBinding HairpinMode:bool
        LinkLocalIPv6Address:string LinkLocalIPv6PrefixLen:int SecondaryIPAddresses:[]network.Address
        SecondaryIPv6Addresses:[]network.Address EndpointID:string Gateway:string GlobalIPv6Address:string
        GlobalIPv6PrefixLen:int IPAddress:string IPPrefixLen:int IPv6Gateway:string MacAddress:string
        Networks:map[string]*network.EndpointSettings""",
    "network.Address": "Addr:string PrefixLen:int",
    "network.EndpointSettings": """
        IPAMConfig:*network.EndpointIPAMConfig Links:[]string Aliases:[]string MacAddress:string
        DriverOpts:map[string]string GwPriority:int NetworkID:string EndpointID:string Gateway:string
        IPAddress:string IPPrefixLen:int IPv6Gateway:string GlobalIPv6Address:string GlobalIPv6PrefixLen:int
        DNSNames:[]string""",
    "network.EndpointIPAMConfig": "IPv4Address:string? IPv6Address:string? LinkLocalIPs:[]string?",
    "v1.Descriptor": """
        MediaType=mediaType:string Digest=digest:string Size=size:int64 URLs=urls:[]string?
        Annotations=annotations:map[string]string? Data=data:[]uint8? Platform=platform:*v1.Platform?
        ArtifactType=artifactType:string?""",
    "v1.Platform": """
        Architecture=architecture:string OS=os:string OSVersion=os.version:string?
        OSFeatures=os.features:[]string? Variant=variant:string?""",
    "struct{}": "",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct by its names in Go and in JSON, and its type; `omitted` from JSON when empty."""

    name: str
    json: str
    type: str
    omitted: bool


def fields_of(type_name: str) -> tuple[Field, ...] | None:
    """The fields of a struct, in order; None for a type that is no struct of a container."""
    return None if (text := _TYPES.get(type_name)) is None else tuple(map(_field, text.split()))


def _field(text: str) -> Field:
    names, _, type_name = text.partition(":")
    name, _, json = names.partition("=")
    return Field(name, json or name, type_name.removesuffix("?"), type_name.endswith("?"))
