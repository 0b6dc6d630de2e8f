export { type PersistentVolume, persistentVolumePath, persistentVolumes } from "./persistent-volumes.js";
export { type VolumeSource, volumeSource } from "./volume-source.js";
