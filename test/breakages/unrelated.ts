/** Lines of kernel logs that have nothing to do with accelerators, in the wording kernels use. */
export const unrelated = String.raw`
[    0.000000] Linux version 6.12.48+deb13-amd64 (debian-kernel@lists.debian.org) (x86_64-linux-gnu-gcc-14) #1 SMP PREEMPT_DYNAMIC
[    0.000000] Command line: BOOT_IMAGE=/boot/vmlinuz-6.12.48+deb13-amd64 root=UUID=4b1e ro quiet splash
[    0.004000] tsc: Fast TSC calibration failed
[    0.061212] Spectre V2 : Mitigation: Enhanced / Automatic IBRS
[    0.241023] ACPI BIOS Error (bug): Could not resolve symbol [\_SB.PC00.TXHC.RHUB.SS01], AE_NOT_FOUND (20240827/dswload2-162)
[    0.300011] ACPI Error: Aborting method \_SB.UBTC.ECRD due to previous error (AE_NOT_FOUND) (20240827/psparse-529)
[    0.412345] pci 0000:00:1c.0: BAR 13 [io  size 0x1000]: failed to assign
[    0.512345] pci 0000:01:00.0: BAR 6 [mem size 0x00080000 pref]: can't assign; no space
[    0.540000] pnp 00:05: disabling [mem 0xc0000000-0xc00fffff] because it overlaps 0000:00:02.0 BAR 9 [mem 0x00000000-0xdfffffff 64bit pref]
[    0.600000] DMAR: DRHD: handling fault status reg 3
[    0.610000] DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault addr 0xfffff000 [fault reason 0x06] PTE Read access is not set
[    0.700000] pcieport 0000:00:1b.0: AER: Correctable error message received from 0000:02:00.0
[    0.701000] nvme 0000:02:00.0: PCIe Bus Error: severity=Correctable, type=Physical Layer, (Receiver ID)
[    0.800000] nvme nvme0: missing or invalid SUBNQN field.
[    0.801000] nvme nvme0: I/O 120 (I/O Cmd) QID 5 timeout, aborting
[    0.802000] nvme nvme0: Device not ready; aborting reset, CSTS=0x1
[    1.000000] ata1.00: failed command: READ FPDMA QUEUED
[    1.001000] ata1: SATA link down (SStatus 0 SControl 300)
[    1.002000] blk_update_request: I/O error, dev sda, sector 2048 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0
[    1.100000] EXT4-fs (nvme0n1p2): mounted filesystem 6a3f with ordered data mode. Quota mode: none.
[    1.101000] EXT4-fs error (device sda1): ext4_lookup:1785: inode #131074: comm ls: deleted inode referenced: 131082
[    1.102000] BTRFS warning (device sdb1): checksum verify failed on logical 30408704 mirror 1
[    1.200000] usb 1-4: new high-speed USB device number 3 using xhci_hcd
[    1.201000] usb 1-4: device descriptor read/64, error -71
[    1.202000] usb usb2-port1: unable to enumerate USB device
[    1.203000] usb 3-2: New USB device found, idVendor=046d, idProduct=c52b, bcdDevice=24.11
[    1.204000] xhci_hcd 0000:00:14.0: WARN Event TRB for slot 1 ep 2 with no TDs queued?
[    1.205000] hub 2-0:1.0: config failed, hub doesn't have any ports! (err -19)
[    1.300000] iwlwifi 0000:00:14.3: Direct firmware load for iwlwifi-so-a0-gf-a0-89.ucode failed with error -2
[    1.301000] iwlwifi 0000:00:14.3: Microcode SW error detected. Restarting 0x0.
[    1.302000] ath11k_pci 0000:03:00.0: failed to load board file /lib/firmware/ath11k/WCN6855/hw2.0/board-2.bin
[    1.303000] rtw_8822ce 0000:03:00.0: firmware: failed to load rtw88/rtw8822c_fw.bin (-2)
[    1.304000] platform regulatory.0: Direct firmware load for regulatory.db failed with error -2
[    1.305000] cfg80211: failed to load regulatory.db
[    1.400000] Bluetooth: hci0: Failed to load Intel firmware file intel/ibt-0040-0041.sfi (-2)
[    1.401000] Bluetooth: hci0: command 0xfc05 tx timeout
[    1.500000] i915 0000:00:02.0: [drm] *ERROR* CPU pipe A FIFO underrun
[    1.501000] i915 0000:00:02.0: [drm] Finished loading DMC firmware i915/adlp_dmc.bin (v2.20)
[    1.502000] i915 0000:00:02.0: [drm] GT0: GuC firmware i915/adlp_guc_70.bin version 70.36.0
[    1.503000] [drm] Initialized i915 1.6.0 for 0000:00:02.0 on minor 1
[    1.504000] [drm:drm_atomic_helper_wait_for_flip_done [drm_kms_helper]] *ERROR* [CRTC:51:pipe A] flip_done timed out
[    1.505000] amdgpu 0000:04:00.0: amdgpu: SE 1, SH per SE 2, CU per SH 5, active_cu_number 20
[    1.506000] snd_hda_intel 0000:00:1f.3: azx_get_response timeout, switching to polling mode: last cmd=0x000f0001
[    1.600000] thermal thermal_zone3: failed to read out thermal zone (-61)
[    1.601000] CPU0: Package temperature above threshold, cpu clock throttled (total events = 12)
[    1.602000] mce: [Hardware Error]: Machine check events logged
[    1.603000] EDAC MC0: 1 CE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#0
[    1.700000] systemd[1]: Failed to mount boot-efi.mount - /boot/efi.
[    1.701000] systemd-udevd[312]: event7: Failed to call EVIOCSKEYCODE with scan code 0x7c, and key code 190: Invalid argument
[    1.702000] audit: type=1400 audit(1700000000.123:45): apparmor="DENIED" operation="open" profile="snap.firefox" name="/proc/1/cgroup"
[    1.703000] Out of memory: Killed process 4321 (firefox) total-vm:9876543kB, anon-rss:4567890kB
[    1.704000] INFO: task kworker/u16:2:88 blocked for more than 120 seconds.
[    1.705000] watchdog: BUG: soft lockup - CPU#3 stuck for 26s! [swapper/3:0]
[    1.800000] r8169 0000:05:00.0 enp5s0: Link is Down
[    1.801000] e1000e 0000:00:1f.6 eno1: NIC Link is Up 1000 Mbps Full Duplex, Flow Control: Rx/Tx
[    1.802000] mlx5_core 0000:81:00.0: firmware version: 16.35.3006
[    1.803000] vboxdrv: loading out-of-tree module taints kernel.
[    1.804000] zfs: module license 'CDDL' taints kernel.
[    1.805000] QAT: failed to load firmware qat_4xxx.bin
[    1.806000] hisi_zip 0000:75:00.0: qm queue start failed
[    1.807000] remoteproc remoteproc0: wkup_m3 is available
[    1.808000] imx-dsp-rproc 3b6e8000.dsp: no reserved memory for DMA
[    1.809000] v3d 1002000000.v3d: [drm] V3D has no MMU
[    1.810000] panfrost ff9a0000.gpu: gpu sched timeout, js=1, config=0x7b00, status=0x8
`
  .split("\n")
  .filter((line) => line !== "");
