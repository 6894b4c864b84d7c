using System.Diagnostics;

namespace Millrace.Storage.Tests;

/// <summary>A file system of a few megabytes, so that a disk can really be full.</summary>
internal sealed class SmallDisk : IDisposable
{
    private SmallDisk(string path) => Path = path;

    public string Path { get; }

    /// <summary>Skips the test where mounting is not permitted, and fails it for any other reason.</summary>
    public static SmallDisk Mount(string path, int sizeMb)
    {
        Directory.CreateDirectory(path);
        var (code, said) = Run("mount", "-t", "tmpfs", "-o", $"size={sizeMb}m", "none", path);
        if (code == 0) return new SmallDisk(path);
        Assert.True(said.Contains("superuser", StringComparison.Ordinal) || said.Contains("permi", StringComparison.OrdinalIgnoreCase), said);
        Assert.Skip($"A small disk needs the permission to mount one: {said.Trim()}");
        return null;
    }

    public void Dispose() => Assert.Equal((0, ""), Run("umount", Path));

    private static (int Code, string Said) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, said);
    }
}
