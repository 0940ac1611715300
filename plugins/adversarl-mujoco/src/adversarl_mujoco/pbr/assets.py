"""What Filament keeps of a model: its textures and meshes."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
from mujoco import mjrf
from numpy.typing import NDArray

from adversarl_mujoco.pbr.exposure import linear

_FORMATS = {1: mjrf.PixelFormat.PIXEL_FORMAT_R8, 3: mjrf.PixelFormat.PIXEL_FORMAT_RGB8}
_FORMATS[4] = mjrf.PixelFormat.PIXEL_FORMAT_RGBA8
# Stored linear: Filament makes mipmaps of those alone, and a pattern without them flickers.
_DECODE = np.rint(255 * linear(np.arange(256) / 255)).astype(np.uint8)


class Assets:
    """Textures and meshes of one model, uploaded when first drawn."""

    def __init__(self, context: Any, model: mujoco.MjModel) -> None:
        self._context = context
        self._model = model
        self._textures: dict[int, Any] = {}
        self._meshes: dict[int, Any] = {}

    def texture(self, index: int) -> Any:
        """The texture of this number in the model."""
        if index not in self._textures:
            self._textures[index] = self._upload_texture(index)
        return self._textures[index]

    def mesh(self, index: int) -> Any:
        """The mesh of this number in the model."""
        if index not in self._meshes:
            self._meshes[index] = upload_mesh(self._context, *_triangles(self._model, index))
        return self._meshes[index]

    def is_cube(self, texture: int) -> bool:
        """Whether a texture is a cube map."""
        return bool(self._model.tex_type[texture] == mujoco.mjtTexture.mjTEXTURE_CUBE)

    def _upload_texture(self, index: int) -> Any:
        model = self._model
        width, height, channels = model.tex_width[index], model.tex_height[index], model.tex_nchannel[index]
        start = int(model.tex_adr[index])
        pixels = _DECODE[np.asarray(model.tex_data[start : start + width * height * channels], np.uint8)]
        kind = mjrf.SamplerType.TEXTURE_CUBE if self.is_cube(index) else mjrf.SamplerType.TEXTURE_2D
        return upload_texture(self._context, pixels.reshape(height, width, channels), kind)


def upload_texture(context: Any, pixels: NDArray[np.uint8], kind: Any) -> Any:
    """Uploads linear colours. Shape (H, W, C); a cube map's six faces stand one below the other."""
    height, width, channels = pixels.shape
    config = mjrf.TextureConfig(
        width=width,
        height=height,
        format=_FORMATS[channels],
        color_space=mjrf.ColorSpace.COLORSPACE_LINEAR,
        sampler_type=kind,
    )
    texture, data = context.create_texture(config), mjrf.TextureData()
    data.set_image(pixels.tobytes())
    texture.upload(data)
    context.flush()
    return texture


def upload_mesh(
    context: Any, vertices: NDArray[np.float32], normals: NDArray[np.float32], uvs: NDArray[np.float32] | None
) -> Any:
    """Uploads triangles, three corners each. Shapes (3 n, 3), (3 n, 3) and (3 n, 2)."""
    usage, kind = mjrf.VertexAttributeUsage, mjrf.VertexAttributeType
    parts: list[tuple[Any, Any, NDArray[np.float32]]] = [
        (usage.VERTEX_ATTRIBUTE_USAGE_POSITION, kind.VERTEX_ATTRIBUTE_TYPE_FLOAT3, vertices),
        (usage.VERTEX_ATTRIBUTE_USAGE_NORMAL, kind.VERTEX_ATTRIBUTE_TYPE_FLOAT3, normals),
    ]
    if uvs is not None:
        parts.append((usage.VERTEX_ATTRIBUTE_USAGE_UV, kind.VERTEX_ATTRIBUTE_TYPE_FLOAT2, uvs))
    count = len(vertices)
    config = mjrf.MeshConfig(
        max_vertices=count,
        max_indices=count,
        attributes=[mjrf.VertexAttribute(usage=use, type=type_) for use, type_, _ in parts],
        interleaved=False,
        index_type=mjrf.IndexType.INDEX_TYPE_U32,
        primitive_type=mjrf.MeshPrimitiveType.MESH_PRIMITIVE_TYPE_TRIANGLES,
    )
    data = mjrf.MeshData(bounds_min=vertices.min(axis=0), bounds_max=vertices.max(axis=0))
    data.set_vertices(config, b"".join(np.ascontiguousarray(array).tobytes() for *_, array in parts))
    data.set_indices(config, np.arange(count, dtype=np.uint32).tobytes())
    mesh = context.create_mesh(config)
    mesh.upload(data)
    context.flush()
    return mesh


def _triangles(
    model: mujoco.MjModel, index: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32] | None]:
    """Corners, normals and texture coordinates of a mesh, three rows a triangle."""
    face = slice(model.mesh_faceadr[index], model.mesh_faceadr[index] + model.mesh_facenum[index])

    def corners(values: NDArray[np.float32], first: int, indices: NDArray[np.int32]) -> NDArray[np.float32]:
        return np.asarray(values[first + indices[face].ravel()], np.float32)

    uvs = None
    if model.mesh_texcoordadr[index] >= 0:
        uvs = corners(model.mesh_texcoord, model.mesh_texcoordadr[index], model.mesh_facetexcoord)
    return (
        corners(model.mesh_vert, model.mesh_vertadr[index], model.mesh_face),
        corners(model.mesh_normal, model.mesh_normaladr[index], model.mesh_facenormal),
        uvs,
    )
