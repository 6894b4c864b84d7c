namespace Millrace.Connectors.Http;

/// <summary>Reads an absolute http or https address.</summary>
internal static class HttpAddress
{
    /// <param name="files">Whether <c>file:///path</c> will do as well; null: nor will <c>resource:///name</c>, since something is spoken to there.</param>
    public static Uri Parse(string text, string pointer, bool? files = null)
    {
        if (files is not null && text.StartsWith($"{ResourceAddress.Scheme}:", StringComparison.Ordinal))
        {
            return ResourceAddress.Parse(text)
                ?? throw Refusal.Configuration("Address invalid", $"The address at {pointer} has to name a stored resource: {ResourceAddress.Scheme}:///name, of letters, digits, '.', '_', '-' and '/'.");
        }
        if (files == true && text.StartsWith("file:///", StringComparison.Ordinal) && Uri.TryCreate(text, UriKind.Absolute, out var file)) return file;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0)
            throw Refusal.Configuration("Address invalid", $"The address at {pointer} has to be an absolute URI with http or https.");
        if (uri.UserInfo.Length > 0)
            throw Refusal.Configuration("Address invalid", $"The address at {pointer} holds credentials; they belong into authentication.basic.");
        return uri;
    }
}
