namespace Millrace.Connectors.Processes;

/// <summary>The folder of one process: <c>home</c> and <c>work</c>, readable by the server's user only, gone when disposed.</summary>
internal sealed class ProcessScratch : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public ProcessScratch(string? root)
    {
        Root = Path.Combine(root ?? Path.GetTempPath(), $"millrace-{Guid.CreateVersion7():N}");
        Home = Path.Combine(Root, "home");
        Work = Path.Combine(Root, "work");
        foreach (var folder in (string[])[Root, Home, Work])
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
            else Directory.CreateDirectory(folder, OwnerOnly);
        }
    }

    public string Root { get; }
    public string Home { get; }
    public string Work { get; }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Root, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What the process locked against its owner stays behind in the folder for temporary files; the result counts all the same.
        }
    }
}
