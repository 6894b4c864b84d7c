using System.Diagnostics;
using YamlDotNet.RepresentationModel;

namespace Millrace.Server.Tests.Deploy;

/// <summary>The files of <c>deploy/</c> and what reads them.</summary>
internal static class DeployFiles
{
    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<string> All { get; } =
        [.. Directory.EnumerateFiles(Path.Combine(Root, "deploy"), "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Root, f)).Order(StringComparer.Ordinal)];

    public static string Text(string file) => File.ReadAllText(Path.Combine(Root, file));

    public static IReadOnlyList<YamlNode> Yaml(string file)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Text(file)));
        return [.. stream.Documents.Select(d => d.RootNode)];
    }

    /// <summary>Every object of the Kubernetes manifests, with its file.</summary>
    public static IEnumerable<(string File, YamlNode Object)> Manifests() =>
        from file in All
        where file.StartsWith("deploy/kubernetes/", StringComparison.Ordinal)
        from node in Yaml(file)
        select (file, node);

    /// <summary>Follows names and indexes; null where there is nothing.</summary>
    public static YamlNode? At(this YamlNode node, params object[] path)
    {
        YamlNode? at = node;
        foreach (var part in path)
        {
            at = (at, part) switch
            {
                (YamlMappingNode map, string name) => map.Children.TryGetValue(new YamlScalarNode(name), out var value) ? value : null,
                (YamlSequenceNode list, int index) => index < list.Children.Count ? list[index] : null,
                _ => null,
            };
        }
        return at;
    }

    public static string? Scalar(this YamlNode node, params object[] path) => (node.At(path) as YamlScalarNode)?.Value;

    /// <summary>Every node of a document.</summary>
    public static IEnumerable<YamlNode> Walk(this YamlNode node)
    {
        yield return node;
        var inner = node switch
        {
            YamlMappingNode map => map.Children.Values,
            YamlSequenceNode list => list.Children,
            _ => (IEnumerable<YamlNode>)[],
        };
        foreach (var child in inner)
            foreach (var found in child.Walk()) yield return found;
    }

    public static async Task<(int Code, string Said)> RunAsync(string program, string[] arguments, string folder, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Support.TestServer.Patience);
        return (process.ExitCode, await output + await errors);
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Millrace.slnx"))) return folder.FullName;
        throw new InvalidOperationException("The tests run outside the repository.");
    }
}
