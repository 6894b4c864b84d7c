using System.Collections;
using Millrace.Storage;

namespace Millrace.Server.Tests;

public sealed class SecretsTests : IDisposable
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("millrace-secrets-").FullName, "secrets.json");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);

    private void Write(string text, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        File.WriteAllText(_path, text);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_path, mode);
    }

    [Fact]
    public void A_variable_wins_over_the_file()
    {
        Write("""{"a": "file", "b": {"user": "u"}}""");

        var secrets = Secrets.Load(_path, new Hashtable { ["MILLRACE_SECRET_a"] = "variable" });

        Assert.Equal("variable", secrets.Find(Tenant.Default, "a")?.AsString());
        Assert.Equal("""{"user":"u"}""", secrets.Find(Tenant.Default, "b").ToString());
        Assert.Null(secrets.Find(Tenant.Default, "c"));
    }

    [Fact]
    public void Another_workspace_has_none()
    {
        Write("""{"a": "x"}""");

        Assert.Null(Secrets.Load(_path, new Hashtable()).Find(new Tenant(Guid.NewGuid(), Guid.NewGuid()), "a"));
    }

    [Fact]
    public void A_file_that_others_may_read_is_refused_with_the_way_out()
    {
        Write("""{"a": "x"}""", UnixFileMode.UserRead | UnixFileMode.GroupRead);

        Assert.Contains($"chmod 600 {_path}", Assert.Throws<SettingsException>(() => Secrets.Load(_path, new Hashtable())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_file_is_refused_without_telling_what_stands_in_it()
    {
        Write("""{"token": "hunter2" oops}""");

        var message = Assert.Throws<SettingsException>(() => Secrets.Load(_path, new Hashtable())).Message;

        Assert.Contains("line 1", message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", message, StringComparison.Ordinal);
    }
}
