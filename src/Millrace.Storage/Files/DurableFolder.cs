namespace Millrace.Storage.Files;

internal static class DurableFolder
{
    /// <summary>The full path with a symbolic link at its end followed, so that one file has one lock.</summary>
    public static string Resolve(string path)
    {
        var file = new FileInfo(Path.GetFullPath(path));
        return file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
    }

    /// <summary>Creates a folder and those above it that are missing, and makes their names durable.</summary>
    public static void Create(string folder)
    {
        if (Directory.Exists(folder)) return;
        var parent = Path.GetDirectoryName(folder);
        if (parent is not null) Create(parent);
        Directory.CreateDirectory(folder);
        if (parent is not null) Sync(parent);
    }

    /// <summary>Windows has no such call; its file system orders names by itself.</summary>
    public static void Sync(string folder)
    {
        if (!OperatingSystem.IsWindows()) Posix.SyncFolder(folder);
    }
}
