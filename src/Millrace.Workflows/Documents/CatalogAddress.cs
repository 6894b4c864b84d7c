using System.Text.RegularExpressions;

namespace Millrace.Workflows.Documents;

/// <summary>Where the definition of a function stands (dsl.md, Catalogs, File Structure; docs/decisions/0024-catalogs.md).</summary>
internal static partial class CatalogAddress
{
    private const string File = "function.yaml";

    /// <summary>The text of <c>functions/{name}/{version}/function.yaml</c> in a catalog, raw where the catalog is a repository of GitHub or GitLab.</summary>
    public static string Of(string catalog, string name, string version) =>
        Raw($"{catalog.TrimEnd('/')}", $"functions/{Uri.EscapeDataString(name)}/{Uri.EscapeDataString(version)}/{File}", "heads/main");

    /// <summary>
    /// A function named by its own URL. With a version behind an <c>@</c>: in a repository that is a tag, elsewhere a folder. A name that ends like a
    /// document is the document itself.
    /// </summary>
    public static string Of(string url)
    {
        var at = url.LastIndexOf('@');
        var version = at > url.LastIndexOf('/') ? url[(at + 1)..] : null;
        var path = version is null ? url : url[..at];
        if (version is null && Document().IsMatch(path))
        {
            var slash = path.LastIndexOf('/');
            return Raw(path[..slash], path[(slash + 1)..], "heads/main");
        }
        if (version is null) return Raw(path.TrimEnd('/'), File, "heads/main");
        return IsRepository(path) ? Raw(path.TrimEnd('/'), File, $"tags/{version}") : $"{path.TrimEnd('/')}/{version}/{File}";
    }

    private static bool IsRepository(string url) => GitHub().IsMatch(url) || GitLab().IsMatch(url);

    private static string Raw(string folder, string file, string reference)
    {
        if (GitHub().Match(folder) is { Success: true } github)
        {
            // What a person names may be a branch, a tag or a commit: the host knows.
            var (named, path) = (github.Groups["ref"], github.Groups["path"].Success ? github.Groups["path"].Value : github.Groups["rest"].Value);
            return $"https://raw.githubusercontent.com/{github.Groups["owner"]}/{github.Groups["repo"]}/{(named.Success ? named.Value : $"refs/{reference}")}{Slash(path)}/{file}";
        }
        if (GitLab().Match(folder) is { Success: true } gitlab)
        {
            var (named, path) = (gitlab.Groups["ref"], gitlab.Groups["path"].Value);
            return $"{gitlab.Groups["project"]}/-/raw/{(named.Success ? named.Value : reference[(reference.IndexOf('/') + 1)..])}{Slash(path)}/{file}";
        }
        return $"{folder}/{file}";
    }

    private static string Slash(string path) => path.Length == 0 ? "" : "/" + path.Trim('/');

    [GeneratedRegex(@"^https://(www\.)?github\.com/(?<owner>[^/]+)/(?<repo>[^/]+?)(\.git)?(/(tree|blob)/(?<ref>[^/]+)(/(?<path>.*))?|/(?<rest>.*))?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex GitHub();

    /// <summary>gitlab.com, and any other host where the address has GitLab's own form.</summary>
    [GeneratedRegex(@"^((?<project>https?://[^/]+/.+?)/-/(tree|blob)/(?<ref>[^/]+)(/(?<path>.*))?|(?<project>https://gitlab\.com/[^/]+/[^/]+?)(\.git)?(/(?<path>.*))?)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex GitLab();

    [GeneratedRegex(@"/[^/]+\.(yaml|yml|json)\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Document();
}
