using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Millrace.Jq;

namespace Millrace.Platform.Http;

/// <summary>The OpenAPI document: what the types alone do not say.</summary>
internal static class ApiDocument
{
    public static void Describe(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "Millrace";
            document.Info.Version = "v1";
            document.Info.Description = "Durable workflows: definitions, runs, artifacts, live streams.";
            // The document holds for whichever address it was fetched from.
            document.Servers?.Clear();
            return Task.CompletedTask;
        });
        options.AddSchemaTransformer((schema, context, _) =>
        {
            Adapt(schema, context);
            return Task.CompletedTask;
        });
    }

    private static void Adapt(OpenApiSchema schema, OpenApiSchemaTransformerContext context)
    {
        var type = context.JsonTypeInfo.Type;
        if (type == typeof(Json) || type == typeof(Json?)) schema.Description = "Any JSON value.";
        // Times have a converter of their own, so the framework does not know that they are texts.
        if (type == typeof(DateTimeOffset)) schema.Type = JsonSchemaType.String;
        if (type == typeof(DateTimeOffset?)) schema.Type = JsonSchemaType.String | JsonSchemaType.Null;
        // A member that is absent when it is null is not required.
        foreach (var property in context.JsonTypeInfo.Properties)
            if (MayBeAbsent(property)) schema.Required?.Remove(property.Name);
    }

    private static bool MayBeAbsent(JsonPropertyInfo property) =>
        (property.IsGetNullable || Nullable.GetUnderlyingType(property.PropertyType) is not null) && !WireJson.TellsNull(property);
}
