using Millrace.Jq;

namespace Millrace.Connectors.OpenApi;

internal sealed record OpenApiOperation
{
    public required string Id { get; init; }
    public required string Method { get; init; }

    /// <summary>With its variables in braces.</summary>
    public required string Path { get; init; }

    public required Uri Base { get; init; }
    public required IReadOnlyList<OpenApiParameter> Parameters { get; init; }

    /// <summary>Version 3 only; version 2 has the body among the parameters.</summary>
    public OpenApiBody? Body { get; init; }

    /// <summary>Version 2 only.</summary>
    public IReadOnlyList<string> Consumes { get; init; } = [];
}

/// <param name="In">path, query, header, cookie; in version 2 also body and formData.</param>
/// <param name="Separator">Between the items of a list; null: the name is repeated.</param>
/// <param name="DeepObject">An object's members become <c>name[member]=value</c>.</param>
internal sealed record OpenApiParameter(string Name, string In, bool Required, string? Separator, bool DeepObject)
{
    public static OpenApiParameter Of(Json declared, bool version2)
    {
        var place = declared["in"].StringOrNull ?? "";
        return new OpenApiParameter(declared["name"].StringOrNull ?? "", place, place == "path" || declared["required"].IsTruthy,
            version2 ? Separator2(declared["collectionFormat"].StringOrNull) : Separator3(declared, place), declared["style"].StringOrNull == "deepObject");
    }

    private static string? Separator2(string? format) => format switch
    {
        "multi" => null,
        "ssv" => " ",
        "tsv" => "\t",
        "pipes" => "|",
        _ => ",",
    };

    private static string? Separator3(Json declared, string place)
    {
        var style = declared["style"].StringOrNull ?? (place is "query" or "cookie" ? "form" : "simple");
        var explode = declared["explode"] is { IsBoolean: true } said ? said.IsTruthy : style == "form";
        if (place is "query" or "cookie" && explode) return null;
        return style switch
        {
            "spaceDelimited" => " ",
            "pipeDelimited" => "|",
            _ => ",",
        };
    }
}

/// <param name="MediaType">The one that is sent: JSON where that is allowed, then a form, then what is named first.</param>
internal sealed record OpenApiBody(bool Required, string MediaType)
{
    public static OpenApiBody? Of(Json declared) =>
        declared["content"].ObjectOrNull is { Count: > 0 } content
            ? new OpenApiBody(declared["required"].IsTruthy, Preferred([.. content.Select(c => c.Key)]))
            : null;

    public static string Preferred(IReadOnlyList<string> mediaTypes) =>
        mediaTypes.FirstOrDefault(Http.HttpBody.IsJson)
        ?? mediaTypes.FirstOrDefault(m => m is Http.HttpBody.Form or Http.HttpBody.Multipart)
        ?? mediaTypes.FirstOrDefault(m => !m.Contains('*', StringComparison.Ordinal))
        ?? Http.HttpBody.Json;
}
