using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Millrace.Storage.Files;

/// <summary>The few calls of the C library that .NET does not offer: flock, and an fsync that tells when it was refused.</summary>
[UnsupportedOSPlatform("windows")]
internal static partial class Posix
{
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int LockRelease = 8;
    private const int ReadWrite = 2;

    private static int Create => OperatingSystem.IsMacOS() ? 0x200 : 0x40;
    private static int CloseOnExec => OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000;

    public static SafeFileHandle OpenOrCreate(string path)
    {
        var file = open(path, ReadWrite | Create | CloseOnExec, 0x180 /* 0600 */);
        return file >= 0 ? new SafeFileHandle(file, ownsHandle: true) : throw Failure("open", path);
    }

    /// <returns>False when another open file holds the lock.</returns>
    public static bool TryLock(SafeFileHandle file, string path)
    {
        if (flock(file, LockExclusive | LockNonBlocking) == 0) return true;
        const int WouldBlockLinux = 11, WouldBlockMac = 35;
        return Marshal.GetLastPInvokeError() is WouldBlockLinux or WouldBlockMac ? false : throw Failure("lock", path);
    }

    /// <summary>
    /// Gives the lock up. Closing the file is not enough: a process that is being started holds a copy of every open file until it
    /// becomes its program, and the lock lasts as long as any copy.
    /// </summary>
    public static void Unlock(SafeFileHandle file, string path)
    {
        if (flock(file, LockRelease) != 0) throw Failure("unlock", path);
    }

    /// <summary>Makes a file's content durable. .NET's own call hides that it was refused.</summary>
    public static void SyncFile(SafeFileHandle file, string path)
    {
        if (fsync(file) != 0) throw Failure("fsync", path);
    }

    /// <summary>Makes the names in a folder durable.</summary>
    public static void SyncFolder(string path)
    {
        var file = open(path, CloseOnExec, 0);
        if (file < 0) throw Failure("open", path);
        using var handle = new SafeFileHandle(file, ownsHandle: true);
        SyncFile(handle, path);
    }

    private static IOException Failure(string call, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{call} {path}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle file);
}
