using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Millrace.Storage.Files;

/// <summary>
/// A file that one process holds locked, with its process id inside. The system gives up the lock when the process ends in
/// whatever way, so the file itself stays behind and means nothing.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly string _path;

    private FileLock(SafeFileHandle file, string path)
    {
        _file = file;
        _path = path;
    }

    /// <param name="subject">What is locked, as the subject of a sentence.</param>
    /// <exception cref="DatabaseInUseException">Names the file and the process that holds it.</exception>
    public static FileLock Take(string path, string subject)
    {
        var file = TryOpen(path);
        if (file is null) throw new DatabaseInUseException($"{subject} is in use by process {Holder(path)} (lock file {path}).");
        RandomAccess.SetLength(file, 0);
        RandomAccess.Write(file, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"), 0);
        return new FileLock(file, path);
    }

    public void Dispose()
    {
        if (!OperatingSystem.IsWindows() && !_file.IsClosed) Posix.Unlock(_file, _path);
        _file.Dispose();
    }

    private static SafeFileHandle? TryOpen(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            const int SharingViolation = unchecked((int)0x80070020);
            try
            {
                return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
            }
            catch (IOException e) when (e.HResult == SharingViolation)
            {
                return null;
            }
        }

        var file = Posix.OpenOrCreate(path);
        if (Posix.TryLock(file, path)) return file;
        file.Dispose();
        return null;
    }

    private static string Holder(string path)
    {
        using var file = OperatingSystem.IsWindows()
            ? File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite)
            : Posix.OpenOrCreate(path);
        var buffer = new byte[32];
        var text = Encoding.ASCII.GetString(buffer, 0, RandomAccess.Read(file, buffer, 0)).Trim();
        return text.Length > 0 ? text : "unknown";
    }
}
