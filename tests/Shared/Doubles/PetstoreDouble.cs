using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Millrace.Tests.Doubles;

/// <summary>The endpoints of https://petstore.swagger.io that the conformance scenarios and examples name, with its Swagger 2 document.</summary>
internal sealed class PetstoreDouble : ServiceDouble
{
    public const string Host = "petstore.swagger.io";

    public static async Task<PetstoreDouble> StartAsync()
    {
        var service = new PetstoreDouble();
        await service.RunAsync();
        return service;
    }

    protected override void Map(WebApplication app)
    {
        app.MapGet("/v2/swagger.json", () => Results.Text(Document, "application/json"));
        app.MapGet("/v2/pet/findByStatus", (string[] status) => Results.Json(Pets.Where(p => status.SelectMany(s => s.Split(',')).Contains(p.Status))));
        app.MapGet("/v2/pet/{petId:long}", (long petId) => Pets.FirstOrDefault(p => p.Id == petId) is { } pet
            ? Results.Json(pet)
            : Results.Json(new { code = 1, type = "error", message = "Pet not found" }, statusCode: 404));
        app.MapPost("/v2/pet", async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            return Results.Text(await reader.ReadToEndAsync(), "application/json");
        });
        app.MapPost("/v2/pet/{petId:long}", (long petId) => Results.Json(new { code = 200, type = "unknown", message = petId.ToString(System.Globalization.CultureInfo.InvariantCulture) }));
        app.MapPost("/v2/pet/{petId:long}/uploadImage", (long petId) => Results.Json(new { code = 200, type = "unknown", message = "File uploaded" }));
        app.MapDelete("/v2/pet/{petId:long}", (long petId) => Results.Json(new { code = 200, type = "unknown", message = petId.ToString(System.Globalization.CultureInfo.InvariantCulture) }));
    }

    internal sealed record Pet(long Id, string Name, string Status, string[] PhotoUrls);

    public static readonly Pet[] Pets =
    [
        new(1, "Milou", "available", []),
        new(2, "Idefix", "available", []),
        new(3, "Rantanplan", "sold", []),
        new(4, "Struppi", "pending", []),
    ];

    private const string Document = """
        {
          "swagger": "2.0",
          "info": {"title": "Swagger Petstore", "version": "1.0.7"},
          "host": "petstore.swagger.io",
          "basePath": "/v2",
          "schemes": ["https", "http"],
          "paths": {
            "/pet": {
              "post": {
                "operationId": "addPet", "consumes": ["application/json", "application/xml"], "produces": ["application/json"],
                "parameters": [{"in": "body", "name": "body", "required": true, "schema": {"$ref": "#/definitions/Pet"}}],
                "responses": {"405": {"description": "Invalid input"}}
              }
            },
            "/pet/findByStatus": {
              "get": {
                "operationId": "findPetsByStatus", "produces": ["application/json"],
                "parameters": [{"name": "status", "in": "query", "required": true, "type": "array",
                  "items": {"type": "string", "enum": ["available", "pending", "sold"]}, "collectionFormat": "multi"}],
                "responses": {"200": {"description": "successful operation"}}
              }
            },
            "/pet/{petId}": {
              "get": {
                "operationId": "getPetById", "produces": ["application/json"],
                "parameters": [{"name": "petId", "in": "path", "required": true, "type": "integer", "format": "int64"}],
                "responses": {"200": {"description": "successful operation"}, "404": {"description": "Pet not found"}}
              },
              "post": {
                "operationId": "updatePetWithForm", "consumes": ["application/x-www-form-urlencoded"], "produces": ["application/json"],
                "parameters": [
                  {"name": "petId", "in": "path", "required": true, "type": "integer"},
                  {"name": "name", "in": "formData", "required": false, "type": "string"},
                  {"name": "status", "in": "formData", "required": false, "type": "string"}],
                "responses": {"405": {"description": "Invalid input"}}
              },
              "delete": {
                "operationId": "deletePet", "produces": ["application/json"],
                "parameters": [
                  {"name": "api_key", "in": "header", "required": false, "type": "string"},
                  {"name": "petId", "in": "path", "required": true, "type": "integer"}],
                "responses": {"404": {"description": "Pet not found"}}
              }
            },
            "/pet/{petId}/uploadImage": {
              "post": {
                "operationId": "uploadFile", "consumes": ["multipart/form-data"], "produces": ["application/json"],
                "parameters": [
                  {"name": "petId", "in": "path", "required": true, "type": "integer"},
                  {"name": "additionalMetadata", "in": "formData", "required": false, "type": "string"}],
                "responses": {"200": {"description": "successful operation"}}
              }
            }
          },
          "definitions": {"Pet": {"type": "object", "required": ["name", "photoUrls"]}}
        }
        """;
}
