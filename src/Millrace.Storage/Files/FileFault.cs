namespace Millrace.Storage.Files;

/// <summary>Turns what the file system refuses into the faults that callers of the storage know.</summary>
internal static class FileFault
{
    // errno as .NET reports it in HResult, and the HRESULTs of Windows.
    private const int NoSpace = 28;
    private const int QuotaLinux = 122;
    private const int QuotaMac = 69;
    private const int DiskFullWindows = unchecked((int)0x80070070);
    private const int HandleDiskFullWindows = unchecked((int)0x80070027);

    public static void Guard(Action work) => Guard(StorageFault.Io, work);

    public static void GuardSync(Action work) => Guard(StorageFault.FsyncFailed, work);

    public static async ValueTask GuardAsync(Func<ValueTask> work)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageUnavailableException(Of(e, StorageFault.Io));
        }
    }

    private static void Guard(string code, Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageUnavailableException(Of(e, code));
        }
    }

    // Every put writes a file of its own, so a further try may always succeed.
    private static StorageFault Of(Exception e, string code) => new(
        e.HResult is NoSpace or QuotaLinux or QuotaMac or DiskFullWindows or HandleDiskFullWindows ? StorageFault.Full : code,
        e.Message,
        Recoverable: true);
}
